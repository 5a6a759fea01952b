"""The command that refines a map along the boundary between its classes."""

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


@errors_in_words
def refine(
    file: ResultsFile,
    levels: Annotated[
        int,
        typer.Option("--levels", metavar="N", help="How often cells are cut: 2^N times as fine."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FINE.h5",
            readable=False,
            help="Results file [OUT_fine.h5]; the picture has the same name, but .png.",
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", help="Skipped cells to run as a check.")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of that sample.")] = 0,
    start: StartOption = "0",
    velocity: VelocityOption = "0",
    at: At = None,
    jobs: Jobs = "-1",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Cut a map finer along the boundary between its classes, and draw it."""
    n_jobs = n_jobs_of(jobs)
    path = output or file.parent / f"{file.stem}_fine.h5"
    picture = picture_beside(path, file)
    from fastmomentum.analysis.refining import refine as refined
    from fastmomentum.cli.parsing import parse_at, parse_point
    from fastmomentum.cli.picture_files import save
    from fastmomentum.cli.running import terminated_like_interrupted
    from fastmomentum.plots.pages import refined as page_of
    from fastmomentum.plots.styles import drawn_in
    from fastmomentum.results.dataset import open_results

    cell = parse_point("--start", start), parse_point("--velocity", velocity)
    with open_results(file) as ds, terminated_like_interrupted():
        made = refined(
            ds,
            path,
            levels=levels,
            start=cell[0],
            velocity=cell[1],
            at=parse_at(at or ()),
            sample=sample,
            seed=seed,
            n_jobs=n_jobs,
            progress=not quiet,
            overwrite=overwrite,
            told=(lambda _: None) if quiet else lambda line: print(f"  {line}"),
        )
    with open_results(path) as ds, drawn_in():
        save(page_of(ds), picture)
    if not quiet:
        there = "" if made.seconds else "complete already; "
        for line in made.lines():
            print(f"{path}: {there}{line}")
            there = ""
        say_last(f"wrote {picture}")
