"""Arguments and options that several commands share, and their checks."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer
import typer.core

if TYPE_CHECKING:
    from fastmomentum.execution.backends import Backend

MOST_JOBS: Final = 1024

# The library has its own messages about files that cannot be read.
ExperimentFile = Annotated[
    Path, typer.Argument(metavar="FILE.toml", readable=False, help="Experiment file.")
]
ResultsFile = Annotated[
    Path, typer.Argument(metavar="OUT.h5", readable=False, help="Results file.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set a key, instead of the file's value, such as grid.lr.num=128.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Jobs = Annotated[str, typer.Option("--jobs", metavar="N", help="Workers; -1 for one per core.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")]
StartOption = Annotated[
    str, typer.Option("--start", metavar="N|X,Y", help="Number of the start, or a point.")
]
VelocityOption = Annotated[
    str, typer.Option("--velocity", metavar="N|VX,VY", help="The same for initial velocities.")
]
At = Annotated[
    list[str] | None,
    typer.Option("--at", metavar="NAME=VALUE", help="Value along another axis [its first]."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]


class Command(typer.core.TyperCommand):
    """A command that checks its arguments as a whole before they are parsed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Say how --set is written, and refuse an option that is given twice."""
        self._refuse_seconds(ctx, args)
        for option, key, value in zip(args, args[1:], [*args[2:], ""], strict=False):
            if option == "--set" and _is_key(key) and value and not value.startswith("--"):
                from fastmomentum.cli.exit_status import end

                end(f"--set takes KEY=VALUE: got {key!r}; did you mean {key}={value}?", 2)
        return super().parse_args(ctx, args)

    def _refuse_seconds(self, ctx: Any, args: list[str]) -> None:
        try:
            order: list[Any] = self.make_parser(ctx).parse_args(args=list(args))[2]
        except Exception:  # the parser has its own messages
            return
        given = set()
        for option in order:
            if option.param_type_name != "option" or option.is_flag or option.multiple:
                continue
            if option.name in given:
                from fastmomentum.cli.exit_status import end

                end(f"{option.opts[0]} was given twice; leave one out", 2)
            given.add(option.name)


def _is_key(word: str) -> bool:
    return word.replace(".", "").isidentifier()


def n_jobs_of(text: str) -> int:
    """Read the number of workers.

    Raises
    ------
    InputError
        It is not a number of workers.
    """
    from fastmomentum.errors import InputError

    with contextlib.suppress(ValueError):
        if (n_jobs := int(text)) == -1 or 1 <= n_jobs <= MOST_JOBS:
            return n_jobs
    raise InputError(f"--jobs must be 1 to {MOST_JOBS}, or -1 for one per core: got {text}")


def require_consistent(jobs: str, backend: str, scheduler: str | None) -> None:
    """Refuse options that make no sense together with a scheduler, or without Dask.

    Raises
    ------
    InputError
        One of them would have no effect.
    """
    from fastmomentum.errors import InputError

    if scheduler is not None and backend != "dask":
        raise InputError(f"--scheduler needs --backend dask: got {backend}")
    if scheduler is not None and jobs != "-1":
        raise InputError(
            "--jobs has no effect with --scheduler, as all cores of the cluster are used; drop it"
        )


def known_backend(name: str) -> Backend:
    """Check the name of a backend.

    Raises
    ------
    InputError
        There is no such backend.
    """
    from fastmomentum.errors import InputError
    from fastmomentum.execution.backends import BACKENDS
    from fastmomentum.text import suggest

    if name not in BACKENDS:
        raise InputError(f"--backend: there is no backend {name!r}; {suggest(name, BACKENDS)}")
    return cast("Backend", name)


def picture_beside(results: Path, source: Path) -> Path:
    """Name the picture of results: the same, but .png.

    Parameters
    ----------
    results : Path
        Path of the new results.
    source : Path
        The results that they come from.

    Raises
    ------
    InputError
        The picture would overwrite one of them.
    """
    from fastmomentum.errors import InputError

    picture = results.parent / f"{results.stem}.png"
    if picture in (results, source):
        raise InputError(
            f"-o {results}: the picture would overwrite {picture}; "
            f"choose another name, such as {picture.stem}_zoom.h5"
        )
    return picture
