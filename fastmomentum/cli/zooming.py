"""The command that runs a window of a map on a finer grid, and draws it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fastmomentum.cli.exit_status import errors_in_words, say_last
from fastmomentum.cli.options import (
    At,
    Jobs,
    Overwrite,
    Quiet,
    ResultsFile,
    StartOption,
    VelocityOption,
    n_jobs_of,
    picture_beside,
)
from fastmomentum.cli.running import run_and_tell


@errors_in_words
def zoom(
    file: ResultsFile,
    lr: Annotated[
        str | None, typer.Option("--lr", metavar="A:B", help="Window of learning rates.")
    ] = None,
    momentum: Annotated[
        str | None, typer.Option("--momentum", metavar="C:D", help="Window of momenta.")
    ] = None,
    windows: Annotated[
        list[str] | None,
        typer.Option("--window", metavar="NAME=A:B", help="Window along another axis; two in all."),
    ] = None,
    num: Annotated[int, typer.Option("--num", metavar="N", help="Values along each axis.")] = 512,
    start: StartOption = "0",
    velocity: VelocityOption = "0",
    at: At = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="ZOOM.h5",
            readable=False,
            help="Results file [OUT_zoom.h5]; the picture has the same name, but .png.",
        ),
    ] = None,
    jobs: Jobs = "-1",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Run or resume a window of a finished map on a finer grid, and draw it."""
    n_jobs = n_jobs_of(jobs)
    path = output or file.parent / f"{file.stem}_zoom.h5"
    picture = picture_beside(path, file)
    from fastmomentum.cli.parsing import parse_at, parse_named, parse_point, parse_range
    from fastmomentum.errors import InputError
    from fastmomentum.results.dataset import open_results
    from fastmomentum.results.zoom import convergence_of, converging, zoomed

    asked = {name: text for name, text in (("lr", lr), ("momentum", momentum)) if text is not None}
    others = parse_named("--window", windows or ())
    if twice := sorted(asked.keys() & others.keys()):
        raise InputError(f"{twice[0]} is given by --window and by --{twice[0]}; leave one out")
    ranges = {name: parse_range(f"--{name}", text) for name, text in asked.items()}
    ranges |= {name: parse_range(f"--window {name}", text) for name, text in others.items()}
    cell = parse_point("--start", start), parse_point("--velocity", velocity)
    stay = parse_at(at or ())
    with open_results(file) as ds:
        experiment = zoomed(ds, None, None, num, *cell, stay, ranges)
    x, y = (name for name in experiment.grid.axes if name in ranges)
    run_and_tell(
        experiment,
        path,
        n_jobs=n_jobs,
        overwrite=overwrite,
        quiet=quiet,
        left_to_do="only the picture to draw",
    )
    from fastmomentum.cli.picture_files import save
    from fastmomentum.plots.pages import phase
    from fastmomentum.plots.styles import drawn_in

    with open_results(path) as ds, drawn_in():
        page = phase(ds, x=x, y=y)
        save(page, picture)
        notes = page.notes
        nothing = not bool(converging(ds).any())
    if quiet:
        return
    if nothing:
        with open_results(file) as ds:
            notes.insert(1, convergence_of(ds, *cell, stay, (x, y)))
    for note in notes:
        print(f"  {note}")
    say_last(f"wrote {picture}")
