"""The command ``fastmomentum``; the only place that prints."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, cast

import typer

if TYPE_CHECKING:
    from fastmomentum.backends import Backend

MOST_JOBS: Final = 1024
TRACEBACK: Final = "FASTMOMENTUM_TRACEBACK"
"""The environment variable that shows where a fault of ours lies."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Batch experiments with momentum gradient descent: a grid in, one HDF5 file out.",
)


# Of files that cannot be read the library tells, in its own words.
ExperimentFile = Annotated[
    Path, typer.Argument(metavar="FILE.toml", readable=False, help="Experiment file.")
]
ResultsFile = Annotated[
    Path, typer.Argument(metavar="OUT.h5", readable=False, help="Results file.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Set a key over the file's, such as grid.lr.num=128."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def errors_in_words(command: Callable[..., None]) -> Callable[..., None]:
    """Print errors as plain lines and end with their exit status."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        from fastmomentum.errors import FastmomentumError

        try:
            command(*arguments, **options)
            sys.stdout.flush()
        except FastmomentumError as error:
            _end(str(error), error.exit_status)
        except KeyboardInterrupt:
            _end("interrupted", 130)
        except BrokenPipeError:  # whoever read our output has gone
            _drop_output()
            raise SystemExit(1) from None
        except MemoryError:
            _end("not enough memory; run fewer jobs, or record fewer steps", 4)
        except OSError as error:
            _drop_output()
            reason = (error.strerror or str(error)).lower()
            _end(f"{error.filename or 'standard output'}: {reason}", 4)
        except Exception as error:
            if os.environ.get(TRACEBACK):
                raise
            _end(
                f"fastmomentum has a fault: {type(error).__name__}: {error}\n"
                f"set {TRACEBACK}=1 to see where, and please report it",
                1,
            )

    return wrapped


def _end(message: str, exit_status: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(exit_status)


def _drop_output() -> None:
    """Let what is still to be printed go nowhere: at its end Python would try once more."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.command()
@errors_in_words
def run(
    file: ExperimentFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT.h5",
            readable=False,
            help="Results file [FILE.h5, here].",
        ),
    ] = None,
    overrides: Overrides = None,
    jobs: Annotated[
        str, typer.Option("--jobs", metavar="N", help="Workers; -1 for one a core.")
    ] = "-1",
    backend: Annotated[
        str,
        typer.Option(
            "--backend", metavar="NAME", help="What they are: threads, processes or dask."
        ),
    ] = "threads",
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="tcp://HOST:PORT",
            help="For dask: the cluster's [one of this machine's cores, started for the run].",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Run an experiment; go on with an interrupted one."""
    from fastmomentum.loading import load

    n_jobs = _n_jobs(jobs)
    _require_consistent(jobs, backend, scheduler)
    experiment = load(file, overrides or ())  # before the imports that take their time
    from fastmomentum.runner import run_to_file
    from fastmomentum.store import FileStore
    from fastmomentum.trust import printable

    known_backend = _known_backend(backend)
    path = output or Path(file.with_suffix(".h5").name)
    say = (lambda *_: None) if quiet else print

    def told(store: FileStore) -> None:
        if store.kept or store.damaged:
            left = len(store.blocks) - store.kept - store.damaged
            again = f"{store.damaged:,} are damaged and computed again, " if store.damaged else ""
            say(
                f"{path}: going on; {store.kept:,} of {len(store.blocks):,} blocks are done, "
                f"{again}{left:,} are left"
            )
            for change in store.changed:
                say(f"{path}: begun otherwise: {printable(change)}")

    with contextlib.ExitStack() as stack:
        stack.enter_context(_terminated_like_interrupted())
        if known_backend == "dask":
            from fastmomentum.cluster import connected

            say(stack.enter_context(connected(scheduler, n_jobs)))
        made = run_to_file(
            experiment,
            path,
            n_jobs=n_jobs,
            backend=known_backend,
            progress=not quiet,
            overwrite=overwrite,
            told=told,
        )
    if quiet:
        return
    from fastmomentum.bar import short
    from fastmomentum.outputs import in_units
    from fastmomentum.summary import findings

    if made is None:
        say(f"{path}: complete already; nothing to do")
    else:
        speed = f", {short(made.steps / made.seconds)} steps/s" if made.steps else ""
        say(
            f"{path}: {made.n_runs:,} runs in {made.seconds:.2f} s{speed}, "
            f"{in_units(path.stat().st_size)}"
        )
    for line in findings(path):
        say(f"  {line}")


def _n_jobs(text: str) -> int:
    from fastmomentum.errors import InputError

    with contextlib.suppress(ValueError):
        if (n_jobs := int(text)) == -1 or 1 <= n_jobs <= MOST_JOBS:
            return n_jobs
    raise InputError(f"--jobs must be 1 to {MOST_JOBS}, or -1 for one a core: got {text}")


def _require_consistent(jobs: str, backend: str, scheduler: str | None) -> None:
    from fastmomentum.errors import InputError

    if scheduler is not None and backend != "dask":
        raise InputError(f"--scheduler goes with --backend dask: got {backend}")
    if scheduler is not None and jobs != "-1":
        raise InputError("--jobs has no say with --scheduler: all cores of the cluster are used")


def _known_backend(name: str) -> Backend:
    from fastmomentum.backends import BACKENDS
    from fastmomentum.errors import InputError
    from fastmomentum.explanation import suggest

    if name not in BACKENDS:
        raise InputError(f"--backend: no such backend as {name!r}; {suggest(name, BACKENDS)}")
    return cast("Backend", name)


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, which batch systems send, end a run as Ctrl-C does."""
    import signal

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@app.command()
@errors_in_words
def plan(file: ExperimentFile, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Tell what an experiment would take; run nothing."""
    from fastmomentum.loading import load
    from fastmomentum.summary import plan_lines, plan_of

    experiment = load(file, overrides or ())
    figures = plan_of(experiment, Path.cwd())
    print(json.dumps(figures, indent=2) if as_json else "\n".join(plan_lines(figures)))


@app.command()
@errors_in_words
def info(file: ResultsFile, as_json: AsJson = False) -> None:
    """Tell what a results file holds and how it was made."""
    from fastmomentum.digest import digest
    from fastmomentum.summary import info_lines, info_of

    said = info_of(file)
    if as_json:
        said["digest"] = digest(file) if said["finished"] else None
        print(json.dumps(said, indent=2))
        return
    print("\n".join(info_lines(said)), flush=True)  # a large file's digest takes a while
    if said["finished"]:
        print(f"digest        xxh3-128 {digest(file)}")


@app.command()
@errors_in_words
def verify(
    file: ResultsFile,
    repair: Annotated[
        bool, typer.Option("--repair", help="Compute the damaged blocks again, and only those.")
    ] = False,
) -> None:
    """Read a results file against its checksums."""
    from fastmomentum.errors import FileError
    from fastmomentum.verification import verify as verify_file

    said = verify_file(file, repair)
    if not said.sound and not said.repaired:
        raise FileError("\n".join(said.lines()))
    print("\n".join(said.lines()))


@app.command()
@errors_in_words
def zoom(
    file: ResultsFile,
    lr: Annotated[str, typer.Option("--lr", metavar="A:B", help="Window of learning rates.")],
    momentum: Annotated[str, typer.Option("--momentum", metavar="C:D", help="Window of momenta.")],
    num: Annotated[int, typer.Option("--num", metavar="N", help="Values along each axis.")] = 512,
    start: Annotated[int, typer.Option("--start", metavar="N", help="Number of the start.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="ZOOM.h5", help="Results file [OUT_zoom.h5]."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there.")
    ] = False,
) -> None:
    """Run a window of a finished map on a finer grid, and draw it."""
    from fastmomentum.results import open_results
    from fastmomentum.runner import run_to_file
    from fastmomentum.zooming import parse_range, zoomed

    window = parse_range("--lr", lr), parse_range("--momentum", momentum)
    with open_results(file) as ds:
        experiment = zoomed(ds, *window, num, start)
    path = output or file.with_name(f"{file.stem}_zoom.h5")
    run_to_file(experiment, path, overwrite=overwrite)
    print(f"wrote {path}")
    from fastmomentum.plots import save_phase_map

    picture = path.with_suffix(".png")
    with open_results(path) as ds:
        save_phase_map(ds.isel(start=0), picture)
    print(f"wrote {picture}")


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Batch experiments with momentum gradient descent: a grid in, one HDF5 file out."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a title may have what a terminal has not
        sys.stdout.reconfigure(errors="backslashreplace")
    if version:
        from fastmomentum.provenance import package_version

        print(f"fastmomentum {package_version('fastmomentum')}")
        raise typer.Exit
