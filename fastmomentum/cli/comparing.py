"""The command that runs the experiments of one file and draws them together."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from fastmomentum.cli.exit_status import errors_in_words, say_last
from fastmomentum.cli.options import (
    ExperimentFile,
    Jobs,
    Overrides,
    Overwrite,
    Quiet,
    StartOption,
    n_jobs_of,
)
from fastmomentum.errors import InputError
from fastmomentum.specification.paths import require_folder


@errors_in_words
def compare(
    file: ExperimentFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FOLDER",
            help="Where results and comparison.png go [FILE_compared].",
        ),
    ] = None,
    overrides: Overrides = None,
    start: StartOption = "0",
    title: Annotated[
        str | None,
        typer.Option("--title", metavar="TEXT", help="Title of the picture [the file's]."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="16x9", help="Width and height of the picture in inches."),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option("--style", metavar="NAME|FILE", help="matplotlib style of the picture."),
    ] = None,
    jobs: Jobs = "-1",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Run or resume every experiment of a comparison, and draw their best runs."""
    from fastmomentum.cli.parsing import parse_point, parse_size
    from fastmomentum.experiment.comparison import load_comparison

    n_jobs, point = n_jobs_of(jobs), parse_point("--start", start)
    inches = None if size is None else parse_size(size)
    if style is not None:  # refused before anything is run
        from fastmomentum.plots.styles import drawn_in as styled

        with styled(style):
            pass
    plans = load_comparison(file, overrides or ())
    folder = output or Path(f"{file.stem}_compared")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"-o must name a folder: {folder} is a file; name another")
    require_folder(folder)
    paths = {name: folder / f"{stem}.h5" for name, stem in stems(plans).items()}
    from fastmomentum.cli.running import run_and_tell
    from fastmomentum.store.files import in_words

    with in_words(f"making {folder}"):
        folder.mkdir(exist_ok=True)
    for name, plan in plans.items():
        run_and_tell(
            plan,
            paths[name],
            n_jobs=n_jobs,
            overwrite=overwrite,
            quiet=quiet,
            left_to_do="only the picture to draw",
        )
    from fastmomentum.cli.picture_files import save
    from fastmomentum.plots.pages import comparison
    from fastmomentum.plots.styles import drawn_in
    from fastmomentum.results.dataset import open_results

    picture = folder / "comparison.png"
    with contextlib.ExitStack() as stack, drawn_in(style):
        results = {name: stack.enter_context(open_results(path)) for name, path in paths.items()}
        page = comparison(results, point, title=title, size=inches, style=style)
        save(page, picture)
    if not quiet:
        for line in page.said:
            print(line)
        say_last(f"wrote {picture}")


def stems(names: Iterable[str]) -> dict[str, str]:
    """File names, without suffixes, for experiments of these names.

    Raises
    ------
    InputError
        Two names give the same file.

    Examples
    --------
    >>> stems(["heavy ball", "Nesterov, restarted"])
    {'heavy ball': 'heavy_ball', 'Nesterov, restarted': 'nesterov_restarted'}
    """
    found: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"\W+", "_", name).strip("_").lower() or "unnamed"
        if stem in found.values():
            other = next(key for key, value in found.items() if value == stem)
            raise InputError(
                f"compare.{name} and compare.{other} would both be written to {stem}.h5; rename one"
            )
        found[name] = stem
    return found
