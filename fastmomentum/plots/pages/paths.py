"""Paths of chosen runs on an objective: its contours, or its surface in 3-D."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from matplotlib.ticker import MaxNLocator

from fastmomentum.errors import InputError
from fastmomentum.plots import fields, surfaces
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.fields import Field, Scale, colour_bar, sample
from fastmomentum.plots.pages.beside import common_to, name_panels, panels, require_few, size_for
from fastmomentum.plots.pages.choosing import At, Several, chosen, chosen_runs
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.path_lines import legend, paths
from fastmomentum.plots.planes import described
from fastmomentum.plots.runs import Run, outside
from fastmomentum.plots.runs import window as window_around
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.chosen import objective_of
from fastmomentum.results.labelled import Labelled
from fastmomentum.results.selection import Start

Ends = Sequence[float]
"""X0, X1, Y0, Y1 of a window."""

View = tuple[float, float]
"""Elevation and azimuth, in degrees, from which a surface is seen."""


@takes(ds=RESULTS)
def contour(
    ds: Labelled,
    lr: Several = None,
    momentum: Several = None,
    start: Several = None,
    *,
    velocity: Start | None = None,
    at: At | None = None,
    window: Ends | None = None,
    scale: Scale = "auto",
    replay: bool = False,
    beside: bool = False,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw the contours of the objective with the paths of chosen runs.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, from `fm.run` or `fm.open`.
    lr, momentum, start : one value or a list of them, optional
        Which runs, paired in order; without any, telling ones.
    velocity : int or (float, float), optional
        The initial velocity; the first without.
    at : mapping of float, optional
        Where to stay along axes of parameters and constants, by name, such as ``{"nu": 0.7}``; at
        the first values without.
    window : (x0, x1, y0, y1), optional
        What to show of the plane.
    scale : {"auto", "log", "linear"}
        Of the objective.
    replay : bool
        Whether to run again to draw all steps, not the recorded ones.
    beside : bool
        Whether each run has a panel of its own, all with the same window.
    title : str, optional
        Instead of the experiment's.
    size : (float, float), optional
        Of the figure, in inches.
    style : str or Path, optional
        A name that matplotlib knows, or a style file.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` names the cells.

    Raises
    ------
    InputError
        An argument makes no sense.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=100,
    ...     grid=fm.Grid(lr=1e-3, momentum=0.9, start=[(-1.2, 1)])))
    >>> len(fm.plots.pages.contour(ds, title="A valley").axes)
    2
    """
    chosen = _chosen(ds, velocity, at, lr, momentum, start, replay)
    field = window, scale, 401
    return _page(*chosen, beside, field, (title, size, style), "rectilinear", _contours)


@takes(ds=RESULTS)
def surface(
    ds: Labelled,
    lr: Several = None,
    momentum: Several = None,
    start: Several = None,
    *,
    velocity: Start | None = None,
    at: At | None = None,
    window: Ends | None = None,
    scale: Scale = "auto",
    replay: bool = False,
    beside: bool = False,
    view: View | None = None,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw the objective as a surface in 3-D with the paths of chosen runs on it.

    Parameters
    ----------
    ds, lr, momentum, start, velocity, at, window, scale, replay, beside, title, size, style
        As for `contour`.
    view : (float, float), optional
        Elevation and azimuth in degrees; chosen without so that the paths are seen.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` names the cells.

    Raises
    ------
    InputError
        An argument makes no sense.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=9,
    ...     grid=fm.Grid(lr=1e-3, momentum=0.9, start=[(-1.2, 1)])))
    >>> fm.plots.pages.surface(ds, view=(40, 30)).axes[0].elev
    40
    """

    def surfaces_of(ax: Any, field: Field, runs: Sequence[Run]) -> Drawn:
        drawn = surfaces.surface(ax, field, runs)
        turn(ax, view)
        return Drawn(drawn.minima)

    chosen = _chosen(ds, velocity, at, lr, momentum, start, replay)
    field = window, scale, 151 if beside else 301
    return _page(*chosen, beside, field, (title, size, style), "3d", surfaces_of)


def field_around(
    ds: Labelled, runs: Sequence[Run], ends: Ends | None, scale: Scale, points: int
) -> Field:
    """Sample the objective over the window that was asked for, or that fits the runs.

    Raises
    ------
    InputError
        The window is empty.
    """
    objective = objective_of(ds)
    if ends is None:
        return sample(objective, window_around(objective, runs), points, scale)
    x_low, x_high, y_low, y_high = ends
    if not (x_low < x_high and y_low < y_high):
        raise InputError(f"--window must be X0,X1,Y0,Y1 with X0 < X1, Y0 < Y1: got {tuple(ends)}")
    return sample(objective, ((x_low, x_high), (y_low, y_high)), points, scale)


def turn(ax: Any, view: View | None) -> None:
    """Look at a surface from where one is asked to."""
    if view is not None:
        ax.view_init(elev=view[0], azim=view[1])


def _chosen(
    ds: Labelled,
    velocity: Start | None,
    at: At | None,
    lr: Several,
    momentum: Several,
    start: Several,
    replay: bool,
) -> tuple[Labelled, list[Run], list[str]]:
    one = chosen(ds, velocity, at)
    return one, *chosen_runs(one, lr, momentum, start, replay)


class Drawn(NamedTuple):
    """What is drawn below paths: its minima, and the lines for its bar."""

    minima: Any
    lines: Any = None


def _contours(ax: Any, field: Field, runs: Sequence[Run]) -> Drawn:
    drawn = fields.contour(ax, field)
    return Drawn(drawn.minima, drawn.lines)


def _page(
    ds: Labelled,
    runs: list[Run],
    said: list[str],
    beside: bool,
    shown: tuple[Ends | None, Scale, int],
    look: tuple[str | None, Size | None, Style | None],
    projection: str,
    draw: Callable[[Any, Field, Sequence[Run]], Drawn],
) -> Page:
    """Draw the field and the paths on it: of all runs, or of each in a panel."""
    title, size, style = look
    with drawn_in(style) as settings:
        field = field_around(ds, runs, *shown)
        notes = [*filter(None, [outside(runs, field.window)])]
        if not beside:  # the legend says which run leaves the window
            page = new_page(settings, size, (10.0, 7.2 + 0.26 * min(len(runs), 6)))
            entitle(page, ds, title)
            ax: Any = page.add_subplot(projection=projection, title=lines_of(page, described(ds)))
            drawn = draw(ax, field, runs)
            colour_bar(ax, field, drawn.lines)
            legend(page, paths(ax, runs, field), drawn.minima)
        else:
            require_few(runs)
            page = new_page(settings, size, size_for(len(runs)))
            entitle(page, ds, title, common_to(ds, runs), *notes)
            axes = panels(page, len(runs), subplot_kw={"projection": projection})
            both = []
            for ax, run in zip(axes, runs, strict=True):
                drawn = draw(ax, field, runs)
                both.append((paths(ax, [run], field), drawn))
                if projection != "3d":
                    ax.label_outer()
                else:  # the bar says it, and there is no room
                    ax.set_zlabel("")
                    surfaces.fill_axes(ax, 0.97)
                    ax.zaxis.set_major_locator(MaxNLocator(2, integer=field.is_log))
            colour_bar(axes[0], field, both[0][1].lines, beside=axes[1:])
            first, below = min(both, key=lambda one: one[0].outside)  # one that is seen
            count = sum(one.outside for one, _ in both)
            legend(page, first._replace(outside=count), below.minima, named=False)
            name_panels(page, axes, runs)
        page.notes += notes
        page.said += [*said, *notes]
    return finished(page)
