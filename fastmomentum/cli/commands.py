"""The commands: each calls the library and prints its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from fastmomentum.cli.comparing import compare
from fastmomentum.cli.exit_status import (
    any_text_goes,
    errors_in_words,
    only_the_ending_is_left,
    owns_the_process,
    say_last,
)
from fastmomentum.cli.exploring import explore
from fastmomentum.cli.options import (
    AsJson,
    Command,
    ExperimentFile,
    Jobs,
    Overrides,
    Overwrite,
    Quiet,
    ResultsFile,
    known_backend,
    n_jobs_of,
    require_consistent,
)
from fastmomentum.cli.plotting import WORDS, animate, plot
from fastmomentum.cli.refining import refine
from fastmomentum.cli.running import run_and_tell
from fastmomentum.cli.zooming import zoom


class App(typer.Typer):
    """The command; called without `standalone_mode=False`, it is all that its process does."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run the command that the arguments name, and end the process as that ended."""
        if not options.get("standalone_mode", True):
            return super().__call__(*arguments, **options)
        owns_the_process()
        try:
            return super().__call__(*arguments, **options)
        finally:
            only_the_ending_is_left()


app = App(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Batch experiments with momentum gradient descent: a grid in, one HDF5 file out.",
)


@app.command(cls=Command)
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
    jobs: Jobs = "-1",
    backend: Annotated[
        str,
        typer.Option(
            "--backend", metavar="NAME", help="Kind of workers: threads, processes or dask."
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
    reuse: Annotated[
        list[Path] | None,
        typer.Option(
            "--reuse",
            metavar="OLD.h5",
            readable=False,
            help="Reuse the runs of older results; may be given several times.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Run an experiment, or resume an interrupted one."""
    from fastmomentum.experiment.toml import load

    n_jobs = n_jobs_of(jobs)
    require_consistent(jobs, backend, scheduler)
    experiment = load(file, overrides or ())  # before the slow imports
    run_and_tell(
        experiment,
        output or Path(file.with_suffix(".h5").name),
        n_jobs=n_jobs,
        backend=known_backend(backend),
        scheduler=scheduler,
        overwrite=overwrite,
        quiet=quiet,
        reuse=reuse or (),
    )


@app.command(cls=Command)
@errors_in_words
def plan(file: ExperimentFile, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Say what an experiment would take, without running it."""
    from fastmomentum.experiment.toml import load
    from fastmomentum.results.estimate import plan_lines, plan_of

    experiment = load(file, overrides or ())
    figures = plan_of(experiment, Path.cwd())
    print(json.dumps(figures, indent=2) if as_json else "\n".join(plan_lines(figures)))


@app.command(cls=Command)
@errors_in_words
def info(file: ResultsFile, as_json: AsJson = False) -> None:
    """Say what a results file holds and how it was made."""
    from fastmomentum.results.fingerprint import digest
    from fastmomentum.results.info import info_lines, info_of

    said = info_of(file)
    if as_json:
        said["digest"] = digest(file) if said["finished"] else None
        print(json.dumps(said, indent=2))
        return
    print("\n".join(info_lines(said)), flush=True)  # a large file's digest takes a while
    if said["finished"]:
        print(f"digest        xxh3-128 {digest(file)}")


@app.command(cls=Command)
@errors_in_words
def verify(
    file: ResultsFile,
    repair: Annotated[
        bool, typer.Option("--repair", help="Compute the damaged blocks again, and only those.")
    ] = False,
) -> None:
    """Compare a results file with its checksums."""
    from fastmomentum.errors import FileError
    from fastmomentum.execution.verification import verify as verify_file

    said = verify_file(file, repair)
    if not said.sound and not said.repaired:
        raise FileError("\n".join(said.lines()))
    print("\n".join(said.lines()))


@app.command(cls=Command)
@errors_in_words
def export(
    file: ResultsFile,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT.csv|.nc|.parquet",
            readable=False,
            help="What to write, by its suffix; .nc keeps the experiment.",
        ),
    ],
    lr: Annotated[
        float | None, typer.Option("--lr", metavar="LR", help="The nearest learning rate [all].")
    ] = None,
    momentum: Annotated[
        float | None, typer.Option("--momentum", metavar="M", help="The nearest momentum [all].")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="N|X,Y", help="Number of the start, or a point [all]."),
    ] = None,
    velocity: Annotated[
        str | None,
        typer.Option(
            "--velocity", metavar="N|VX,VY", help="The same for initial velocities [all]."
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="NAME=VALUE", help="The nearest value of another axis [all]."),
    ] = None,
    trajectory: Annotated[
        bool,
        typer.Option(
            "--trajectory",
            help="A row for each step: all of one cell, or the stored ones of several.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write results, a selection or trajectories, for other programs."""
    from fastmomentum.analysis.exporting import export as export_results
    from fastmomentum.cli.parsing import parse_at, parse_point
    from fastmomentum.text import in_units

    made = export_results(
        file,
        output,
        lr=lr,
        momentum=momentum,
        start=None if start is None else parse_point("--start", start),
        velocity=None if velocity is None else parse_point("--velocity", velocity),
        at=parse_at(at or ()),
        trajectory=trajectory,
        overwrite=overwrite,
    )
    if not quiet:
        for line in made.said:
            print(line)
        what = ("run" if output.suffix.lower() == ".nc" else "row") + "s" * (made.rows != 1)
        say_last(f"wrote {made.path}: {made.rows:,} {what}, {in_units(made.path.stat().st_size)}")


app.command(cls=Command)(zoom)
app.command(cls=Command)(explore)
app.command(cls=Command)(refine)
app.command(cls=Command)(compare)
app.add_typer(plot, name="plot")
app.command(context_settings=dict(WORDS), add_help_option=False)(animate)


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Batch experiments with momentum gradient descent: a grid in, one HDF5 file out."""
    any_text_goes()
    if version:
        from fastmomentum.provenance import package_version

        print(f"fastmomentum {package_version('fastmomentum')}")
        raise typer.Exit
