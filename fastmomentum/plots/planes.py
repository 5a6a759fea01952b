"""What a map is drawn from: results over two dimensions, of one start and one velocity."""

from __future__ import annotations

from collections.abc import Iterable

from fastmomentum.errors import InputError
from fastmomentum.experiment.cells import CELL
from fastmomentum.experiment.labels import KINDS
from fastmomentum.plots.style import number, point
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import Labelled, LabelledArray
from fastmomentum.results.selection import labels_of


def require_plane(
    results: Labelled | LabelledArray, over: Iterable[str] = ("lr", "momentum")
) -> None:
    """Refuse results over other dimensions than a map's.

    Parameters
    ----------
    results : xarray.Dataset or xarray.DataArray
        What is to be drawn.
    over : iterable of str
        The map's dimensions.

    Raises
    ------
    InputError
        One of them was selected, or there are more.
    """
    dims = results["status"].dims if isinstance(results, Labelled) else results.dims
    over = list(over)
    more = [str(dim) for dim in dims if dim not in over]
    if CELL in more:
        raise InputError(
            f"a map is drawn over {' and '.join(over)}, and these results list cells of lr and "
            "momentum: draw them with fm.plots.phase or fm.plots.pages.refined"
        )
    if more:
        others = "start" if over == ["lr", "momentum"] else "lr, one momentum"
        settings = [name for name in more if not name.startswith(("start", "velocity"))]
        if any(name not in ("lr", "momentum") for name in settings):
            others = f"{settings[0]}, one start"
        raise InputError(
            f"a map is drawn over {' and '.join(over)}, and {', '.join(more)} is left: select one "
            f"{others} and one velocity first, with isel or fm.select_velocity"
        )
    gone = [dim for dim in over if dim not in dims]
    if gone:
        raise InputError(
            f"a map is drawn over {' and '.join(over)}, and {gone[0]} was selected: keep it, if "
            "only with one value, as isel with a list does"
        )


def described(results: Labelled) -> str:
    """Say what was descended, and how; parameters with their usual values are left out.

    Parameters
    ----------
    results : xarray.Dataset
        With the experiment.

    Returns
    -------
    str
        Such as "objective rosenbrock, b = 20, rule momentum".
    """
    experiment = experiment_of(results)
    said = [f"objective {experiment.objective.words}", f"rule {experiment.rule.words}"]
    return ", ".join(said + chosen_words(results))


def chosen_words(results: Labelled) -> list[str]:
    """Settings, parameters and constants of which one value was selected, such as "nu 0.7"."""
    grid = experiment_of(results).grid
    left = {*grid.places, *(["momentum"] if grid.momentum is None else [])}
    names = labels_of(results, [kind for kind in KINDS if kind not in left])
    return [
        f"{name.removeprefix('objective_')} {number(results[name].item())}"
        for name in names
        if name in results.coords and not results[name].ndim
    ]


def departure(results: Labelled) -> str:
    """Say where the runs of a selection start, and with what velocity, as far as it is one.

    Parameters
    ----------
    results : xarray.Dataset
        With the experiment.

    Returns
    -------
    str
        Such as "from (1, 1), velocity (0, 2)"; "" for several starts.
    """
    parameters, said = experiment_of(results).objective.parameters, []
    for kind, word in (("start", "from"), ("velocity", "velocity")):
        names = [f"{kind}_{parameter}" for parameter in parameters]
        if all(name in results.coords and not results[name].ndim for name in names):
            said.append(f"{word} {point([results[name].item() for name in names])}")
    return ", ".join(said)
