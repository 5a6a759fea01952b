"""The same run on a Dask cluster: the same bits, whatever becomes of workers and scheduler.

The clusters are real, of processes on this machine; what goes wrong goes wrong really.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import joblib
import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster
from joblib._parallel_backends import ThreadingBackend

import fastmomentum as fm
from fastmomentum.execution import orders, worker
from fastmomentum.execution.orders import Order, Refusal, do_order
from fastmomentum.execution.progress import Progress
from fastmomentum.execution.remote import IN_FLIGHT
from fastmomentum.execution.runner import run_to_file
from fastmomentum.execution.worker import Done
from fastmomentum.provenance import computing
from fastmomentum.results.fingerprint import digest
from fastmomentum.store import manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.file_store import FileStore
from fastmomentum.store.journal import Journal
from fastmomentum.store.paths import partial_name
from tests.experiment.test_scheduled_runs import RESTARTED, scheduled
from tests.helpers import needs, on_linux, same_bits
from tests.kernels.test_random_runs import CASES
from tests.kernels.test_random_runs import plan as random_plan
from tests.storing import command

ROOT = Path(fm.__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def experiment(steps: int = 300) -> fm.Experiment:
    """Some 600 runs that converge, diverge or neither, with trajectories."""
    return fm.Experiment(
        objective=fm.Rosenbrock(),
        rule="momentum",
        steps=steps,
        grid=fm.Grid(
            lr=np.geomspace(1e-5, 1e-1, 17),
            momentum=np.linspace(0, 0.99, 12),
            start=[(-1.2, 1.0), (2.0, 2.0), (1.0, 1.0)],
        ),
        record=fm.Record(every=steps // 5),
        stop=fm.Stop(targets=[1.0, 1e-2], bound=1e6),
    )


LONG = """
steps = 20_000
objective = { name = "rosenbrock" }
rule = { name = "momentum" }
[grid]
lr = { linspace = [1e-6, 1e-4], num = 300 }
momentum = { linspace = [0.0, 0.9], num = 500 }
start = [[-1.2, 1.0], [2.0, 2.0]]
"""


@contextlib.contextmanager
def cluster(n_workers: int) -> Iterator[Client]:
    """Workers of one thread each, and a client of theirs that is the current one."""
    local = LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address="127.0.0.1:0")
    with local, Client(local) as client:
        yield client


@contextlib.contextmanager
def process(*command: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process, in a group of its own that is gone afterwards; alone where there are no groups."""
    options = {"cwd": "/", "env": ENVIRONMENT, "text": True, "start_new_session": True} | options
    with subprocess.Popen([str(word) for word in command], **options) as started:
        try:
            yield started
        finally:
            if not hasattr(os, "killpg"):
                started.kill()
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(started.pid, signal.SIGKILL)


def worker_command(address: str) -> list[str]:
    options = "--nthreads 1 --no-nanny --no-dashboard --host 127.0.0.1"
    return [sys.executable, "-m", "distributed.cli.dask_worker", address, *options.split()]


@pytest.fixture(scope="module")
def wanted() -> xr.Dataset:
    return fm.run(experiment(), n_jobs=1, backend="threads")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with cluster(2) as client:
        yield client


@pytest.fixture
def at_first(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[Progress], None]]:
    """What to give a run as `progress`, to have something happen after the first block."""
    monkeypatch.setattr("fastmomentum.execution.runner.COMMIT_SECONDS", 0.0)

    def watcher(*actions: Callable[[], object]) -> Callable[[Progress], None]:
        left = list(actions)

        def watch(progress: Progress) -> None:
            if 0 < progress.done_runs < progress.n_runs:
                while left:
                    left.pop(0)()

        return watch

    return watcher


def test_same_bits_as_threads(
    client: Client, wanted: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the workers' current folder is another
    for block_runs in (5, 7, 612):
        path = f"{block_runs}.h5"
        with fm.run(experiment(), path, backend="dask", block_runs=block_runs) as ds:
            same_bits(ds, wanted)
    same_bits(fm.run(experiment(), backend="dask", block_runs=100), wanted)


def test_schedules_and_restarts_have_the_bits_of_threads(client: Client, tmp_path: Path) -> None:
    plan = scheduled(rule=RESTARTED)
    with fm.run(plan, tmp_path / "out.h5", backend="dask", block_runs=1) as ds:
        same_bits(ds, fm.run(plan, n_jobs=1, backend="threads"))


@pytest.mark.parametrize("case", ["common", "batches"])
def test_noise_and_batches_have_the_bits_of_threads(
    client: Client, tmp_path: Path, case: str
) -> None:
    plan = random_plan(**CASES[case])
    expected = fm.run(plan, n_jobs=1, backend="threads")
    with fm.run(plan, tmp_path / "out.h5", backend="dask", block_runs=97) as ds:
        same_bits(ds, expected)
    same_bits(fm.run(plan, backend="dask", block_runs=500), expected)


def test_what_joblib_is_set_up_for_is_used(
    client: Client, wanted: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = []
    real = worker.do_block
    monkeypatch.setattr(worker, "do_block", lambda *a: (here.append(a), real(*a))[1])
    jobs = {"n_jobs": 2}
    for name, options, elsewhere in (
        ("dask", {}, True),
        ("loky", jobs, True),
        ("multiprocessing", jobs | {"context": "spawn"}, True),
        ("threading", jobs, False),
        (None, jobs, False),
        (None, {}, False),
    ):
        here.clear()
        with joblib.parallel_config(**({"backend": name} if name else {}), **options):
            same_bits(fm.run(experiment(), block_runs=100), wanted)
        assert (here == []) is elsewhere, name


class BackendOfAnother(ThreadingBackend):
    """As a package beside joblib would bring one; for all that joblib says, on many machines."""


def test_the_backend_of_another_package(
    wanted: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joblib.register_parallel_backend("another's", BackendOfAnother)
    with joblib.parallel_config(backend="another's", n_jobs=2):
        path = tmp_path / "out.h5"
        with fm.run(experiment(), path, block_runs=5) as ds:
            same_bits(ds, wanted)

        # It cannot be told to do without a worker.
        others = dict(computing()) | {"numba": "0.1"}
        monkeypatch.setattr(
            "fastmomentum.execution.remote.computing", lambda: tuple(others.items())
        )
        words = r"process \d+ on .* has numba .*, where the run has 0\.1: install .*\n0 of 123 "
        with pytest.raises(fm.ClusterError, match=words):
            fm.run(experiment(), tmp_path / "o.h5", block_runs=5)


def test_few_tasks_are_on_their_way(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 612, as many as there are blocks."""
    monkeypatch.setattr("fastmomentum.execution.batching.TASK_SECONDS", 0.0)
    submit, gather = Client.submit, Client.gather
    given, now, most = [0], [0], [0]

    def counted(client: Client, task: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if task is do_order:
            given[0] += 1
            now[0] += 1
            most[0] = max(most[0], now[0])
        return submit(client, task, *arguments, **options)

    def back(client: Client, futures: list[Any], **options: Any) -> Any:
        now[0] -= len(futures)
        return gather(client, futures, **options)

    monkeypatch.setattr(Client, "submit", counted)
    monkeypatch.setattr(Client, "gather", back)
    fm.run(experiment(), tmp_path / "out.h5", backend="dask", block_runs=1).close()
    assert given == [612]
    assert 2 <= most[0] <= 2 * IN_FLIGHT


@needs("signal.SIGKILL")
def test_a_killed_worker_is_no_loss(
    wanted: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmomentum.execution.runner.COMMIT_SECONDS", 0.0)
    monkeypatch.setattr("fastmomentum.execution.batching.TASK_SECONDS", 0.0)  # a task is a block
    path = tmp_path / "out.h5"
    with cluster(2) as client:
        alive = [*client.run(os.getpid).values()]

        def watch(progress: Progress) -> None:
            # Beyond the first blocks, one a core: so more are on their way.
            while alive and 2 * 5 < progress.done_runs < progress.n_runs:
                os.kill(alive.pop(), signal.SIGKILL)

        with fm.run(experiment(), path, backend="dask", block_runs=5, progress=watch) as ds:
            same_bits(ds, wanted)
    assert not alive
    assert fm.verify(path).sound


@needs("signal.SIGKILL")
def test_blocks_that_kill_their_worker_end_the_run(tmp_path: Path) -> None:
    """Dask gives up on tasks that were the end of some workers; here, of one."""

    def be_the_end() -> None:
        worker.do_block = lambda *_: os.kill(os.getpid(), signal.SIGKILL)

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), cluster(1) as client:
        client.run(be_the_end)
        with pytest.raises(fm.ClusterError, match=r"killed 1 worker.*\n.*resume") as caught:
            fm.run(experiment(), tmp_path / "o.h5", backend="dask", block_runs=1)
        assert "Traceback" not in str(caught.value)


@needs("signal.SIGSTOP")
def test_a_late_worker_has_its_share(
    wanted: xr.Dataset, tmp_path: Path, at_first: Callable[..., Any]
) -> None:
    """The first worker stands still until the second has joined, so that there is work left."""
    with cluster(1) as client:
        (pid,) = client.run(os.getpid).values()

        def join() -> None:
            client.cluster.scale(2)
            client.wait_for_workers(2)

        watch = at_first(
            lambda: os.kill(pid, signal.SIGSTOP), join, lambda: os.kill(pid, signal.SIGCONT)
        )
        path = tmp_path / "out.h5"
        with fm.run(experiment(), path, backend="dask", block_runs=1, progress=watch) as ds:
            same_bits(ds, wanted)
        ready = client.run(lambda: orders._get_ready.cache_info().currsize)
        assert len(ready) == 2
        assert set(ready.values()) == {1}


def test_a_cluster_that_adapts_gets_going(wanted: xr.Dataset) -> None:
    """It has no worker before there is a task."""
    with cluster(0) as client:
        client.cluster.adapt(minimum=0, maximum=1, interval="100ms")
        same_bits(fm.run(experiment(), backend="dask"), wanted)


def test_a_cluster_that_loses_all_workers_is_waited_for(
    wanted: xr.Dataset,
    tmp_path: Path,
    at_first: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fastmomentum.execution.dask_workers.POLL_SECONDS", 0.1)
    words = "the cluster at .* has no workers left; the run waits for others"
    with cluster(1) as client:
        scale = client.cluster.scale
        watch = at_first(lambda: scale(0), lambda: until(lambda: list(told)), lambda: scale(1))
        with pytest.warns(UserWarning, match=words) as told:
            ds = fm.run(
                experiment(), tmp_path / "o.h5", backend="dask", block_runs=1, progress=watch
            )
        with ds:
            same_bits(ds, wanted)


@pytest.fixture
def other_versions(tmp_path: Path) -> dict[str, str]:
    """An environment with another numba and a package that was edited, as far as one can see."""
    copy = tmp_path / "other"
    shutil.copytree(ROOT / "fastmomentum", copy / "fastmomentum")
    rules = copy / "fastmomentum" / "rules" / "momentum.py"
    rules.write_text(rules.read_text() + "# edited\n")
    (copy / "numba-0.1.dist-info").mkdir()
    (copy / "numba-0.1.dist-info" / "METADATA").write_text("Name: numba\nVersion: 0.1\n")
    return {**ENVIRONMENT, "PYTHONPATH": str(copy)}


@needs("signal.SIGSTOP")
def test_other_versions_are_refused(
    other_versions: dict[str, str], wanted: xr.Dataset, tmp_path: Path, at_first: Callable[..., Any]
) -> None:
    own = dict(computing())
    words = (
        rf"has fastmomentum .* \(sources [0-9a-f]{{8}}\), where the run has "
        rf"{re.escape(own['fastmomentum'])}; numba 0\.1, where the run has {own['numba']}: "
        "install the same on all machines"
    )
    with cluster(1) as client, contextlib.ExitStack() as stack:
        address = client.scheduler.address

        def join() -> None:
            stack.enter_context(process(*worker_command(address), env=other_versions, stderr=-3))
            client.wait_for_workers(2)

        # A worker that joins late is removed, and the run continues without it.
        path = tmp_path / "out.h5"
        ((first, pid),) = client.run(os.getpid).items()
        watch = at_first(
            lambda: os.kill(pid, signal.SIGSTOP), join, lambda: os.kill(pid, signal.SIGCONT)
        )
        with pytest.warns(UserWarning, match=f"a worker was removed: tcp://.* {words}"):
            ds = fm.run(experiment(), path, backend="dask", block_runs=1, progress=watch)
        with ds:
            same_bits(ds, wanted)
        assert list(client.ncores()) == [first]

        # Who is there at the start has to be right.
        join()
        with pytest.raises(fm.ClusterError, match=f"tcp://.* {words}\n0 of 123 blocks are done"):
            fm.run(experiment(), tmp_path / "o.h5", backend="dask", block_runs=5)


@on_linux
def test_a_worker_that_does_not_see_the_file_says_so(client: Client, tmp_path: Path) -> None:
    """It runs where another file system hides the folder, as on another machine."""
    hide = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs none "{tmp_path}" && exec "$@"', "sh"]
    if subprocess.run([*hide, "true"], capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    n = len(client.ncores())
    command = [*hide, *worker_command(client.scheduler.address)]
    with process(*command, stderr=subprocess.DEVNULL):
        client.wait_for_workers(n + 1)
        with pytest.raises(fm.ClusterError) as caught:
            fm.run(experiment(), tmp_path / "out.h5", backend="dask")
    refused, _, kept = str(caught.value).partition("\n")
    assert "does not see the run's file" in refused
    assert "a file system that all machines share under the same path" in refused
    assert kept.startswith("0 of ")
    while len(client.ncores()) > n:
        time.sleep(0.02)


def stored(path: Path) -> int:
    """How many blocks an unfinished file holds by now."""
    if not partial_name(path).exists():
        return 0
    sink = BlockFile.of(manifest.read(partial_name(path)), writable=False)
    return int(np.count_nonzero(Journal(sink).flags()))


def alive(group: int) -> bool:
    """Whether a process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def running(tmp_path: Path) -> Callable[..., contextlib.AbstractContextManager[Any]]:
    """The command at work on a long run with Dask, and some blocks done."""
    (tmp_path / "long.toml").write_text(LONG)

    @contextlib.contextmanager
    def started(*options: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "fastmomentum", "run", "long.toml", "--backend", "dask"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with process(*command, *options, cwd=tmp_path, **pipes) as run:
            until(lambda: run.poll() is not None or stored(tmp_path / "long.h5"))
            yield run

    return started


def test_warnings_are_lines_for_the_command() -> None:
    code = """
import warnings
from fastmomentum.cli.exit_status import errors_in_words
from fastmomentum.errors import FastmomentumWarning
from fastmomentum.execution.dask_cluster import connected

@errors_in_words
def command():
    with connected(None, 1):
        warnings.warn("a worker was removed: so and so", FastmomentumWarning)

if __name__ == "__main__":
    command()
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=ENVIRONMENT, cwd="/", capture_output=True, text=True)
    assert done.stderr == "a worker was removed: so and so\n"


def kept(said: str) -> bool:
    words = (
        r"\d+ of \d+ blocks are done and kept in long\.h5\.partial: run the same again to resume"
    )
    return re.fullmatch(words, said) is not None


def goes_on(path: Path) -> None:
    """The run can be finished, here and with threads, and nothing of it is lost or wrong."""
    plan = fm.load(path.with_suffix(".toml"))
    before = []
    run_to_file(plan, path, n_jobs=2, told=lambda store: before.append((store.kept, store.damaged)))
    assert before[0][0] > 0
    assert before[0][1] == 0
    with fm.run(plan, n_jobs=2) as ds:
        assert digest(path) == digest(ds)


@contextlib.contextmanager
def scheduler_and_worker(folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """Processes of their own, and the address."""
    place = folder / "scheduler.json"
    options = "--host 127.0.0.1 --port 0 --dashboard-address 127.0.0.1:0 --scheduler-file"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *options.split(), place]
    with process(*command, stderr=subprocess.DEVNULL) as scheduler:
        until(lambda: place.exists() and place.read_text())
        address = json.loads(place.read_text())["address"]
        with process(*worker_command(address), stderr=subprocess.DEVNULL) as worker:
            yield address, scheduler, worker


@pytest.mark.slow
@needs("signal.SIGSTOP")
def test_a_lost_scheduler_ends_the_run_and_it_goes_on(
    running: Callable[..., Any], tmp_path: Path
) -> None:
    with (
        scheduler_and_worker(tmp_path) as (address, scheduler, worker),
        running("--scheduler", address) as run,
    ):
        worker.send_signal(signal.SIGSTOP)  # or it might be done too soon
        scheduler.kill()
        out, err = run.communicate(timeout=60)
    assert run.returncode == 4
    first, second = err.splitlines()
    assert first == f"the scheduler at {address} is gone"
    assert kept(second)
    assert out.startswith(f"Dask cluster at {address}: ")
    goes_on(tmp_path / "long.h5")


@pytest.mark.slow
def test_a_scheduler_lost_while_results_are_entered(
    tmp_path: Path, at_first: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next that speaks to it asks for the number of cores, and waits for no task."""
    monkeypatch.setattr("fastmomentum.execution.remote.POLL_SECONDS", 0.0)
    with scheduler_and_worker(tmp_path) as (address, scheduler, _), Client(address) as client:
        lost = at_first(scheduler.kill, lambda: until(lambda: client.status != "running"))
        words = rf"^the scheduler at {address} is gone\n.* resume"
        with pytest.raises(fm.ClusterError, match=words):
            fm.run(experiment(), tmp_path / "o.h5", backend="dask", block_runs=1, progress=lost)


@pytest.mark.slow
def test_a_scheduler_lost_before_it_gave_the_last_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask would never tell of it."""
    with scheduler_and_worker(tmp_path) as (address, scheduler, _), Client(address) as client:
        real, calls = client._gather_remote, []

        async def gather(*arguments: Any) -> Any:
            calls.append(arguments)
            if len(calls) == 2:  # the first is asked whether a worker is there
                scheduler.kill()
                scheduler.wait()
            return await real(*arguments)

        monkeypatch.setattr(client, "_gather_remote", gather)
        with pytest.raises(fm.ClusterError, match=rf"^the scheduler at {address} is gone\n0 of 1 "):
            fm.run(experiment(), tmp_path / "o.h5", backend="dask", block_runs=612)


@pytest.mark.slow
@needs("os.killpg")
def test_ctrl_c_calls_the_tasks_off(running: Callable[..., Any], tmp_path: Path) -> None:
    """In a terminal it reaches all processes: ours, and those of the cluster that we started."""
    with running("--jobs", "2") as run:
        os.killpg(run.pid, signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert re.match(r"Dask cluster at tcp://127\.0\.0\.1:\d+: 2 workers with 2 cores; ", out)
    assert err.startswith("interrupted; ")
    assert kept(err.removeprefix("interrupted; ").strip())
    until(lambda: not alive(run.pid))
    goes_on(tmp_path / "long.h5")


def test_what_is_called_off_leaves_the_cluster(
    client: Client, tmp_path: Path, at_first: Callable[..., Any]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(fm.Interrupted):
        fm.run(
            experiment(),
            tmp_path / "out.h5",
            backend="dask",
            block_runs=1,
            progress=at_first(interrupt),
        )
    until(lambda: client.run_on_scheduler(lambda dask_scheduler: not dask_scheduler.tasks))


NO_CLUSTER = """
import sys, fastmomentum as fm
if sys.argv[1:]:
    sys.modules["distributed"] = None
grid = fm.Grid(lr=1, start=[(1, 1)])
try:
    fm.run(fm.Experiment(objective="booth", rule="sgd", steps=1, grid=grid), backend="dask")
except fm.InputError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ([], "the backend dask needs a cluster: make a dask.distributed.Client before, such as "),
        (["distributed"], "the backend dask needs the package distributed; install it with "),
    ],
)
def test_no_cluster(without: list[str], words: str) -> None:
    command = [sys.executable, "-c", NO_CLUSTER, *without]
    done = subprocess.run(command, env=ENVIRONMENT, cwd="/", capture_output=True, text=True)
    assert done.stdout.startswith(words)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ("--scheduler tcp://a:1", 2, "--scheduler needs --backend dask: got threads"),
        (
            "--backend dask --jobs 2 --scheduler tcp://a:1",
            2,
            "--jobs has no effect with --scheduler",
        ),
        *(
            (
                f"--backend dask --scheduler {address}",
                2,
                f"--scheduler must be tcp://HOST:PORT: got '{address}'",
            )
            for address in ("foo", "file://a", "file://a:1", "tcp://a", "tcp://a:b", "tcp://:1")
        ),
        (
            "--backend dask --scheduler tcp://127.0.0.1:{port}",
            4,
            ": connection refused; start one with dask scheduler, or check the address",
        ),
        ("--backend dask --scheduler tcp://no.such.host.invalid:1", 4, "no Dask scheduler answers"),
        ("--backend dask --scheduler tcp://127.0.0.1:{mute}", 4, "no Dask scheduler answers at "),
    ],
)
def test_bad_addresses(
    options: str, status: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmomentum.execution.dask_cluster.ANSWER_SECONDS", 0.5)
    monkeypatch.chdir(tmp_path)
    Path("long.toml").write_text(LONG)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        options = options.format(mute=server.getsockname()[1], port=closed.getsockname()[1])
        ended, said = command("run", "long.toml", *options.split())
    assert ended == status
    assert words in said
    assert len(said.splitlines()) == 1
    assert list(map(str, Path().iterdir())) == ["long.toml"]


def test_an_order_that_has_outlived_its_run_is_refused(tmp_path: Path) -> None:
    """The worker may be cut off for hours, and another run may be writing there by then."""
    path = tmp_path / "out.h5"

    def laid_out() -> Order:
        with FileStore.open(path, experiment(), block_runs=5) as store:
            return Order(
                str(store.partial), store.sink.seal, computing(), (range(1, 3), range(5, 6)), 0.0
            )

    first = laid_out()
    done = do_order(first)
    assert isinstance(done, Done)
    assert done.blocks == (range(1, 2),)
    assert done.left == (range(2, 3), range(5, 6))
    orders.shared_sink.cache_clear()
    orders._get_ready.cache_clear()
    partial_name(path).unlink()
    late = do_order(first)
    assert isinstance(late, Refusal)
    assert late.left == first.blocks
    assert "no such file" in late.reason
    second = laid_out()
    before = partial_name(path).read_bytes()
    late = do_order(first)
    assert isinstance(late, Refusal)
    assert "was replaced" in late.reason
    assert partial_name(path).read_bytes() == before
    assert isinstance(do_order(second), Done)
    assert len(pickle.dumps(first)) < 1000
