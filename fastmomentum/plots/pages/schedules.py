"""The page of an experiment's schedules."""

from __future__ import annotations

from typing import Final

from fastmomentum.errors import InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.plots.arguments import Kind, takes
from fastmomentum.plots.pages.page import Page, Size, Style, finished, lines_of, new_page, wrapped
from fastmomentum.plots.schedule_curves import schedule_curve
from fastmomentum.plots.style import COLOURS
from fastmomentum.plots.styles import drawn_in

LABELS = {"lr": "factor on the learning rate", "momentum": "momentum"}


EXPERIMENT: Final = Kind(
    "an Experiment, such as fm.load('experiment.toml')",
    lambda given: isinstance(given, Experiment),
)


@takes(experiment=EXPERIMENT)
def schedule(
    experiment: Experiment,
    *,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw an experiment's schedules over all of a run's updates.

    A restart starts the momentum's schedule over; when depends on the run, so none is drawn.

    Parameters
    ----------
    experiment : Experiment
        With a schedule.
    title : str, optional
        Above the picture; the experiment's without.
    size : (float, float), optional
        Inches.
    style : str or path, optional
        On top of the house style.

    Returns
    -------
    Page
        A Figure.

    Raises
    ------
    InputError
        The experiment has no schedule, or is none.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> page = schedule(fm.Experiment(objective="booth", rule="sgd", steps=100,
    ...     grid=fm.Grid(lr=0.01, start=[(1, 1)]), schedule={"lr": {"kind": "cosine", "steps": 9}}))
    >>> [ax.get_ylabel() for ax in page.axes]
    ['factor on the learning rate']
    """
    found = experiment.schedule
    if found is None:
        raise InputError(
            "the experiment has no schedule to draw; add one, such as [schedule] with lr"
        )
    both = {"lr": found.lr, "momentum": found.momentum}
    parts = {key: made for key, made in both.items() if made is not None}
    with drawn_in(style) as settings:
        page = new_page(settings, size, (10.0, 3.0 + 2.25 * len(parts)))
        above = title or experiment.title or experiment.objective.words
        page.suptitle(wrapped(page, above, "figure.titlesize"), parse_math=False)
        rows = page.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0]
        for k, (ax, (key, made)) in enumerate(zip(rows, parts.items(), strict=True)):
            anew = key == "momentum" and experiment.rule.restart is not None
            label = LABELS[key] + (" without restarts" if anew else "")
            schedule_curve(ax, made, experiment.steps, label, COLOURS[k])
        rows[0].set_title(lines_of(page, f"rule {experiment.rule.words}, schedule {found.words}"))
        rows[-1].set_xlabel("updates made before")
    return finished(page)
