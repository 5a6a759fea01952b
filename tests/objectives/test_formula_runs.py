"""Formulas in experiments: from one line to results that say all, wherever and however often."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import StorageError
from fastmomentum.objectives import generated
from fastmomentum.reference import descend
from fastmomentum.results import dataset
from fastmomentum.results.fingerprint import digest
from fastmomentum.store.file_store import FileStore
from tests.helpers import needs, same_bits
from tests.storing import command

ROOT = Path(fm.__file__).parents[1]

PLAN = """
steps = 300
rule = { name = "momentum" }
[objective]
formula = "(u^2 + v - p)^2 + (u + v^2 - 7)^2"
constants = { p = 11.0 }
variables = ["u", "v"]
[grid]
lr = { logspace = [1e-4, 1e-2], num = 5 }
momentum = [0.0, 0.5, 0.9]
start = { u = { linspace = [-4.0, 4.0], num = 4 }, v = [-3.0, 3.5] }
[record]
every = 50
[stop]
targets = [1.0, 1e-9]
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path / "plan.toml"


def test_a_run_is_the_reference_bit_for_bit(plan: Path) -> None:
    experiment = fm.load(plan)
    ds = fm.run(experiment)
    lr, momentum, u, v = np.meshgrid(
        ds.lr, ds.momentum, ds.start_u, ds.start_v, indexing="ij", sparse=True
    )
    start = np.stack(np.broadcast_arrays(*np.broadcast_arrays(u, v)), axis=-1)
    runs = descend(experiment.objective, "momentum", lr, momentum, start, 300,
                   targets=experiment.stop.targets)  # fmt: skip
    for name in ("status", "n_steps", "hit_step", "final", "final_loss"):
        expected = getattr(runs, name)
        assert ds[name].values.tobytes() == expected.astype(ds[name].dtype).tobytes(), name
    assert ds.parameter.values.tolist() == ["u", "v"]
    assert (ds.status == fm.Status.CONVERGED).any()


EVERYTHING = [
    ("where(x < 0.5 and not y > 0 or x > 2, x^2 + y^2, abs(x - y)*3)", {}),
    ("max(x, y, 0.5)^2 + min(x, 2*y)^2/9 + abs(x)^1.3", {}),
    ("sin(x)*cos(y) + tan(x/9) + tanh(y) + log(3 + x^2) + exp(-y^2/9)", {}),
    ("c*sin(2*pi*x)^2 + cos(pi*y) + sqrt(1 + x^2) + (1 + y^2)^1.5 + 2^x", {"c": 0.3}),
    ("x^-2 + y^4/(1 + x^2) + 1/sqrt(1 + y^2) + (x - y)^7/1e4", {}),
]


@pytest.mark.parametrize(("text", "constants"), EVERYTHING)
def test_all_that_a_formula_can_say_is_compiled_to_the_same_bits(
    text: str, constants: dict[str, float]
) -> None:
    formula = fm.Formula(text, constants=constants, minimisers=[])
    lr, momentum = np.geomspace(1e-3, 1e-1, 6), np.array([0.0, 0.8])
    starts = np.random.default_rng(1).uniform(-3, 3, (7, 2))
    plan = fm.Experiment(
        objective=formula, rule="momentum", steps=60, stop=fm.Stop(bound=1e6),
        grid=fm.Grid(lr=lr, momentum=momentum, start=starts), record=fm.Record(every=1),
    )  # fmt: skip
    ds = fm.run(plan)
    runs = descend(formula, "momentum", lr[:, None, None], momentum[:, None], starts, 60, bound=1e6)
    assert ds.n_steps.values.tolist() == runs.n_steps.tolist()
    path = np.where(np.isnan(runs.trajectory), np.nan, runs.trajectory)  # one NaN of many
    assert ds.trajectory.values.tobytes() == path.tobytes()


def test_the_variables_order_is_the_formulas(plan: Path) -> None:
    """A table's keys are sorted in the canonical form, and r comes before phi."""
    grid = fm.Grid(lr=0.1, momentum=0.5, start={"phi": [1.0, 2.0], "r": [3.0, 4.0, 5.0]},
                   velocity={"phi": 0.5, "r": [0.25, 0.125]})  # fmt: skip
    assert grid.start_axes[0].tolist() == [1.0, 2.0]
    experiment = fm.Experiment(objective=fm.Formula("r^2 + phi^2", variables=["r", "phi"]),
                               rule="momentum", steps=3, grid=grid)  # fmt: skip
    for same in (experiment, fm.Experiment.from_canonical(experiment.canonical)):
        assert same.canonical == experiment.canonical
        assert same.grid.start.names == same.grid.velocity.names == ("r", "phi")
        assert same.grid.start_axes[0].tolist() == [3.0, 4.0, 5.0]
    ds = fm.run(experiment)
    assert dict(ds.status.sizes) == {"lr": 1, "momentum": 1, "start_r": 3, "start_phi": 2,
                                     "velocity_r": 2, "velocity_phi": 1}  # fmt: skip
    assert repr(grid.start) == "Mesh(phi=Axis(values=(1.0, 2.0)), r=Axis(values=(3.0, 4.0, 5.0)))"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"u": 1, "q": 2}, "grid.start needs the axes u and v, which are the parameters of u^2"),
        ({"u": 1}, "grid.start needs two axes, x and y (a and b for mse): got u"),
        ({"u": {"linspace": [0, 1], "nmu": 3}, "v": 1}, "grid.start.u.nmu: no such key"),
        ({"u": "abc", "v": 1}, "grid.start.u must be a number, a list of numbers"),
    ],
)
def test_meshes_of_other_names_are_told_where_they_are_wrong(start: Any, message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.Experiment(objective=fm.Formula("u^2 + v^2", variables=("u", "v")), rule="momentum",
                      steps=5, grid={"lr": 0.1, "momentum": 0.4, "start": start})  # fmt: skip
    assert message in str(caught.value)


def test_the_canonical_form_says_all_and_is_read_back(plan: Path) -> None:
    experiment = fm.load(plan)
    table = json.loads(experiment.canonical)["objective"]
    points = table.pop("minimisers")
    assert table == {
        "name": "formula",
        "formula": "(u^2 + v - p)^2 + (u + v^2 - 7)^2",
        "constants": {"p": 11.0},
        "variables": ["u", "v"],
        "box": {"u": [-5.0, 5.0], "v": [-5.0, 5.0]},
        "found": True,
    }
    assert points == experiment.objective.minimisers.tolist()
    assert len(points) == 4
    again = fm.Experiment.from_canonical(experiment.canonical)
    assert again.canonical == experiment.canonical
    assert again == experiment
    assert again.objective.f_min == experiment.objective.f_min


def test_found_minimisers_are_kept_as_they_were_found(plan: Path) -> None:
    """Another version may find other last bits: a file's own decide, and make no other plan."""
    experiment = fm.load(plan)
    tree = json.loads(experiment.canonical)
    tree["objective"]["minimisers"][0][0] += 1e-9
    other = fm.Experiment.parse(tree)
    assert other.objective.minimisers.tolist() == tree["objective"]["minimisers"]
    assert other.sha256 != experiment.sha256
    assert other.plan == experiment.plan
    del tree["objective"]["found"]
    assert fm.Experiment.parse(tree).plan != experiment.plan


def test_plans_are_compared_without_title_and_label(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.h5"
    assert command("run", plan, "-o", out, "--quiet")[0] == 0
    before = out.read_bytes()
    status, said = command(
        "run", plan, "-o", out, "--set", "title='more'", "--set", "objective.label='bowls'"
    )
    assert status == 0, said
    assert out.read_bytes() == before
    status, said = command("run", plan, "-o", out, "--set", "objective.constants.p=10.0")
    assert status == 2
    assert "objective.constants.p is 11.0 and not 10.0" in said
    status, said = command("run", plan, "-o", out, "--set", "objective.minimisers=[[3.0, 2.0]]")
    assert status == 2
    assert "objective.minimisers is left out and not [[3.0, 2.0]]" in said


def test_a_resumed_run_goes_on_with_the_minimisers_of_its_file(tmp_path: Path, plan: Path) -> None:
    experiment = fm.load(plan)
    tree = json.loads(experiment.canonical)
    tree["objective"]["minimisers"][0][0] += 1e-9
    other, out = fm.Experiment.parse(tree), tmp_path / "out.h5"
    with FileStore.open(out, other, block_runs=20):
        pass
    with FileStore.open(out, experiment, block_runs=20) as store:
        assert store.experiment.canonical == other.canonical
    fm.run(experiment, out)
    assert fm.experiment_of(fm.open(out)).canonical == other.canonical


def test_the_file_alone_suffices(plan: Path, tmp_path: Path, monkeypatch: Any) -> None:
    out = tmp_path / "out.h5"
    fm.run(fm.load(plan), out, n_jobs=2)
    plan.unlink()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    for name in [name for name in sys.modules if name.startswith(generated.PREFIX)]:
        monkeypatch.delitem(sys.modules, name)
    for cached in (dataset._plan,):
        cached.cache_clear()
    with fm.open(out) as ds:
        objective = fm.experiment_of(ds).objective
        assert isinstance(objective, fm.Formula)
        whole = fm.replay(ds, lr=1e-3, momentum=0.5, start=(-4, 3.5))
        cell = fm.select_cell(ds, lr=1e-3, momentum=0.5, start=(-4, 3.5))
        assert whole.final.values.tobytes() == cell.final.values.tobytes()
        basins = fm.analysis.basin(ds)
        assert set(np.unique(basins.values)) <= {-1, 0, 1, 2, 3}
        assert (basins >= 0).any()
        rate = fm.analysis.predicted_rate(ds)
        assert np.isfinite(rate.values).all()
        low, high = fm.theory.eigenvalues(objective)
        assert 0 < low < high
        assert fm.analysis.measured_rate(ds).rate.shape == basins.shape
    assert command("verify", out)[0] == 0
    status, said = command("info", out)
    assert status == 0
    assert "momentum on (u^2 + v - p)^2 + (u + v^2 - 7)^2" in said


def test_damage_is_repaired(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.h5"
    with fm.run(fm.load(plan), out) as ds:
        wanted = digest(ds)
    from fastmomentum.store import manifest

    place = manifest.read(out).offsets["final"]
    data = bytearray(out.read_bytes())
    data[place] ^= 1
    out.write_bytes(data)
    assert command("verify", out, "--repair")[0] == 0
    with fm.open(out) as ds:
        assert digest(ds) == wanted


def test_a_zoom_of_a_map_of_a_formula(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.h5"
    fm.run(fm.load(plan), out)
    status, said = command("zoom", out, "--lr", "1e-3:2e-3", "--momentum", "0.1:0.3", "--num", "3",
                           "--start", "-4,3.5", "--quiet")  # fmt: skip
    assert status == 0, said
    with fm.open(tmp_path / "out_zoom.h5") as ds:
        assert fm.experiment_of(ds).objective == fm.experiment_of(fm.open(out)).objective


def test_processes_give_the_same_bits(plan: Path, tmp_path: Path) -> None:
    experiment, parts = fm.load(plan), {"n_jobs": 2, "block_runs": 20}
    one = fm.run(experiment, tmp_path / "a.h5", backend="threads", **parts)
    two = fm.run(experiment, tmp_path / "b.h5", backend="processes", **parts)
    with one, two:
        same_bits(one, two)


def test_dask_gives_the_same_bits(plan: Path, tmp_path: Path) -> None:
    from tests.execution.test_cluster import cluster

    experiment = fm.load(plan)
    one = fm.run(experiment, tmp_path / "a.h5", n_jobs=1)
    with cluster(1):
        two = fm.run(experiment, tmp_path / "b.h5", backend="dask", block_runs=20)
    with one, two:
        same_bits(one, two)


def test_pictures_say_the_formula_or_its_label(plan: Path, tmp_path: Path, script: Any) -> None:
    out = tmp_path / "out.h5"
    fm.run(fm.load(plan, ["objective.label='four valleys of $10'"]), out)
    for name, words in {
        "plot_contour": ("--lr", "1e-3", "--momentum", "0.5", "--start", "-4,3.5"),
        "plot_surface": ("--lr", "1e-3", "--momentum", "0.5", "--start", "-4,3.5"),
        "plot_basins": ("--lr", "1e-3", "--over", "momentum"),
        "plot_phase": ("--start", "-4,3.5"),
    }.items():
        status, _, said = script(name, out, "-o", tmp_path / f"{name}.svg", *words)
        assert status == 0, said
        assert (tmp_path / f"{name}.svg").stat().st_size > 5000


def test_the_key_name_may_be_left_out_or_stand_beside(plan: Path) -> None:
    plain = fm.load(plan)
    named = fm.load(plan, ["objective.name='formula'"])
    assert plain.canonical == named.canonical
    with pytest.raises(fm.InputError, match=r"objective\.formula: no such key"):
        fm.load(plan, ["objective.name='rosenbrock'"])


def test_a_decorated_function_is_an_objective() -> None:
    @fm.objective
    def bowl(x, y, steep=3.0):  # type: ignore[no-untyped-def]
        return x**2 + steep * np.square(y)

    def plan(objective: Any) -> fm.Experiment:
        return fm.Experiment(objective=objective, rule="momentum", steps=300,
                             grid=fm.Grid(lr=0.1, momentum=0.5, start=[(1, 1)]),
                             stop=fm.Stop(targets=[1e-9]))  # fmt: skip

    assert (fm.run(plan(bowl)).status == fm.Status.CONVERGED).all()
    assert (
        plan(bowl(steep=5)).difference(plan(bowl)) == "objective.constants.steep is 5.0 and not 3.0"
    )


# The cache of what was written.


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the cache, and a process that has loaded nothing of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in [name for name in sys.modules if name.startswith(generated.PREFIX)]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path / "fastmomentum" / "formulas"


SOURCE = "def value_at(x, y, c):\n    return {}\n\ngradient_at = hessian_at = value_at\n"


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(generated.PREFIX)]:
        monkeypatch.delitem(sys.modules, name)


def test_what_is_kept_is_the_users_own(home: Path) -> None:
    functions = generated.functions("one", lambda: SOURCE.format(1))
    (file,) = home.iterdir()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert functions.value(0, 0, ()) == 1
    assert functions.value.__module__ == file.stem


def test_what_is_kept_is_loaded_if_it_is_what_was_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated.functions("one", lambda: SOURCE.format(1))
    (file,) = home.iterdir()
    forget(monkeypatch)
    assert generated.functions("one", lambda: pytest.fail("it is there")).value(0, 0, ()) == 1
    for damaged in (
        file.read_bytes().replace(b"return 1", b"return 2"),
        file.read_bytes()[:-1],
        SOURCE.format(2).encode(),
        b"",
    ):
        forget(monkeypatch)
        file.write_bytes(damaged)
        assert generated.functions("one", lambda: SOURCE.format(1)).value(0, 0, ()) == 1
        assert b"return 1" in file.read_bytes()
    forget(monkeypatch)
    assert generated.functions("two", lambda: SOURCE.format(3)).value(0, 0, ()) == 3


@needs("os.getuid")  # and what others may do
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_to_is_refused(
    home: Path, mode: int, plan: Path, tmp_path: Path
) -> None:
    home.mkdir(parents=True)
    home.chmod(mode)
    with pytest.raises(StorageError, match="others may write to it"):
        fm.Formula("x^2 + 17.5*y^2")
    new = f"objective.formula='u^2 + p*v^2 + {mode}'"  # one that this process has not loaded
    status, said = command("run", plan, "-o", tmp_path / "out.h5", "--set", new)
    assert status == 4
    assert len(said.splitlines()) == 1


def test_a_link_in_the_place_of_the_folder_is_refused(home: Path, tmp_path: Path) -> None:
    home.parent.mkdir(parents=True)
    (tmp_path / "theirs").mkdir(mode=0o700)
    home.symlink_to(tmp_path / "theirs")
    with pytest.raises(StorageError, match="is not a folder of yours"):
        generated.functions("one", lambda: SOURCE.format(1))
    assert not list((tmp_path / "theirs").iterdir())


def test_a_link_in_the_place_of_a_file_is_not_followed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated.functions("one", lambda: SOURCE.format(1))
    (file,) = home.iterdir()
    forget(monkeypatch)
    file.rename(tmp_path / "elsewhere.py")
    file.symlink_to(tmp_path / "elsewhere.py")
    assert generated.functions("one", lambda: SOURCE.format(2)).value(0, 0, ()) == 2
    assert not file.is_symlink()


@needs("os.getuid")
def test_a_file_that_others_may_write_to_is_written_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated.functions("one", lambda: SOURCE.format(1))
    (file,) = home.iterdir()
    forget(monkeypatch)
    file.chmod(0o666)
    assert generated.functions("one", lambda: SOURCE.format(2)).value(0, 0, ()) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_home_formulas_work_for_this_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    forget(monkeypatch)
    assert generated.functions("one", lambda: SOURCE.format(1)).value(0, 0, ()) == 1


SECOND = """
import sys, fastmomentum as fm
from fastmomentum.kernels.loop import compile_kernel
from fastmomentum.kernels.rows import Rows
experiment = fm.Experiment(objective=fm.Formula("x^2 + c*y^2 + exp(-x)*sin(y)", c=3.0),
    rule="momentum", steps=3, grid=fm.Grid(lr=[1e-3, 2e-3], momentum=0.9, start=[(1, 2)]))
ds = fm.run(experiment)
rows = Rows(2, experiment.rule.rule, (), (False,))
stats = compile_kernel(experiment.objective.functions, rows, True).stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), "sympy" in sys.modules)
print(repr(ds.final.values.tolist()))
"""


def test_a_second_process_derives_and_compiles_nothing(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),
        "XDG_CACHE_HOME": str(tmp_path),
    }

    def child() -> list[str]:
        return subprocess.run(
            [sys.executable, "-c", SECOND], env=environment, text=True, check=True,
            capture_output=True, cwd="/",
        ).stdout.splitlines()  # fmt: skip

    first, second = child(), child()
    assert first[0] == "0 1 True"
    assert second[0] == "1 0 False"
    assert first[1] == second[1]


def test_what_is_written_is_the_same_in_every_process(tmp_path: Path) -> None:
    """SymPy's own order goes by hashes in places; ours must not."""
    code = (
        "import fastmomentum as fm\n"
        "fm.Formula('(a + x*y - b*x^2 + sin(x))*(exp(y) + b - x)^3/(a + y^2)', a=1, b=2)"
    )
    sources = set()
    for seed in ("1", "2", "3"):
        folder = tmp_path / seed
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder),
                       "PYTHONHASHSEED": seed}  # fmt: skip
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, cwd="/")
        (file,) = folder.rglob("*.py")
        sources.add(file.read_text())
    assert len(sources) == 1
    assert not re.search(r"\b(import os|eval|exec|open)\b", sources.pop())
