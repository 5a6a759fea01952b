"""The value of a grid's axis nearest to the one asked for, with a warning outside of its range.

All selection by value uses this: cells, starts, velocities, targets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import OutsideGridWarning
from fastmomentum.experiment.points import Point
from fastmomentum.notices import warn

Floats = NDArray[np.float64]


def nearest(
    name: str, values: ArrayLike, asked: float, by_ratio: bool = False, listed: bool = False
) -> int:
    """Index of the value nearest to the one asked for.

    Parameters
    ----------
    name : str
        Name of the axis, for the warning.
    values : array_like, shape () or (n,)
        Values of the grid, or of a selection of it.
    asked : float
        What to come near to; positive where ratios are compared.
    by_ratio : bool
        Whether values are compared by their ratio, as learning rates and targets are.
    listed : bool
        Whether only these values exist, as with targets: a value in between is outside too.

    Returns
    -------
    int
        The first of equally near ones.

    Warns
    -----
    OutsideGridWarning
        It lies outside of the range of the values. An end rounded to three digits or more, as in
        legends, still counts as the end; where ratios are compared, so does a value in the cell
        around it, up to a tenth away.

    Examples
    --------
    >>> nearest("lr", [1e-4, 1e-3, 1e-2], 2e-3, by_ratio=True)
    1
    """
    known = np.atleast_1d(np.asarray(values, float))
    away = np.abs(np.log(known) - np.log(asked)) if by_ratio else np.abs(known - asked)
    index = int(away.argmin())
    choices = known[index : index + 1] if listed else known
    if _is_outside(choices, asked) and not (by_ratio and _is_at_the_edge(choices, asked)):
        limits = ", ".join(f"{value:.6g}" for value in known) if listed else _range(known)
        _tell(name, f"{asked:.6g}", f"{known[index]:.6g}", limits, known.size == 1)
    return index


def nearest_point(
    kind: str,
    parameters: Sequence[str],
    axes: tuple[ArrayLike, ArrayLike],
    asked: Point,
    mesh: bool,
) -> tuple[int, ...]:
    """Index of the point nearest to the one asked for.

    Parameters
    ----------
    kind : str
        What the points are, for the warning: "start" or "velocity".
    parameters : sequence of str
        Names of the two coordinates.
    axes : (array_like, array_like), shapes () or (n,)
        Coordinates: of the points one by one, or of the two axes of a mesh.
    asked : (float, float)
        What to come near to.
    mesh : bool
        Whether the points are a mesh.

    Returns
    -------
    tuple of int
        One index for a list, two for a mesh.

    Warns
    -----
    OutsideGridWarning
        A coordinate lies outside of the range of the points' coordinates.

    Examples
    --------
    >>> nearest_point("start", "xy", ([-5.0, 2.0], [-5.0, 2.0]), (1.0, 1.0), mesh=False)
    (1,)
    """
    first, second = (np.atleast_1d(np.asarray(axis, float)) for axis in axes)
    away = np.abs(first - asked[0]), np.abs(second - asked[1])
    if mesh:
        index: tuple[int, ...] = (int(away[0].argmin()), int(away[1].argmin()))
    else:
        index = (int(np.hypot(*away).argmin()),)
    if _is_outside(first, asked[0]) or _is_outside(second, asked[1]):
        taken = first[index[0]], second[index[-1]]
        ranges = (
            f"{p} {_range(axis)}" for p, axis in zip(parameters, (first, second), strict=True)
        )
        alone = first.size == second.size == 1
        _tell(kind, _written(asked), _written(taken), ", ".join(ranges), alone)
    return index


def nearest_cell(
    lr: ArrayLike, momentum: ArrayLike, rate: float | None, share: float | None
) -> int:
    """Index of the cell of a list nearest to the settings asked for.

    Parameters
    ----------
    lr, momentum : array_like, shape (n,)
        Those of the cells.
    rate, share : float, optional
        Learning rate and momentum to come near to; if one is left out, the other decides.

    Returns
    -------
    int
        The first of equally near ones. Learning rates are compared by their ratio, both relative to
        the spread of the cells.

    Warns
    -----
    OutsideGridWarning
        As for `nearest`.

    Examples
    --------
    >>> nearest_cell([0.1, 0.1, 0.2], [0.0, 0.9, 0.9], 0.2, 0.8)
    2
    """
    away = np.zeros(np.size(lr))
    for name, values, asked in (("lr", lr, rate), ("momentum", momentum, share)):
        if asked is None:
            continue
        known, by_ratio = np.asarray(values, float), name == "lr"
        nearest(name, known, asked, by_ratio)  # warns where it lies outside
        scaled, place = (np.log(known), np.log(asked)) if by_ratio else (known, asked)
        away = np.hypot(away, (scaled - place) / (np.ptp(scaled) or 1.0))
    return int(away.argmin())


def _is_outside(known: Floats, asked: float) -> bool:
    """Whether a value lies outside of a range whose ends may be given in a few digits."""
    low, high = float(known.min()), float(known.max())
    if low <= asked <= high:
        return False
    end = low if asked < low else high
    return all(float(f"{end:.{digits}g}") != asked for digits in range(3, 17))


def _is_at_the_edge(known: Floats, asked: float) -> bool:
    """Whether a value lies in the cell around an end of an axis, where ratios are compared."""
    logs = np.sort(np.log(known))
    gaps = np.diff(logs)
    if not gaps.size:
        return False
    low, high = (np.minimum(gap / 2, np.log(1.1)) for gap in (gaps[0], gaps[-1]))
    return bool(logs[0] - low <= np.log(asked) <= logs[-1] + high)


def _tell(what: str, asked: str, taken: str, limits: str, alone: bool) -> None:
    where = (
        f"is not in the grid: {taken}, the only one there, is taken"
        if alone
        else f"is not in the grid, {limits}: the nearest, {taken}, is taken"
    )
    warn(f"{what} {asked} {where}", OutsideGridWarning)


def _range(known: Floats) -> str:
    low, high = f"{known.min():.6g}", f"{known.max():.6g}"
    return low if low == high else f"{low} to {high}"


def _written(place: Sequence[float]) -> str:
    return f"({place[0]:.6g}, {place[1]:.6g})"
