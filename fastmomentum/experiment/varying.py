"""Parameters of the rule and constants of the objective that vary over a grid."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from fastmomentum.errors import InputError
from fastmomentum.experiment.axis import Axis
from fastmomentum.experiment.grid import Grid
from fastmomentum.objectives import Objective
from fastmomentum.rules import RULES, Parameter
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.specification.messages import Fault
from fastmomentum.text import suggest

MOST_SEARCHED: Final = 256
"""Most combinations of constants where minimisers are searched for each."""
MOST_VARIANTS: Final = 65_536
"""Most combinations of constants where minimisers are known: each is an objective in memory."""

Axes = Mapping[str, Axis]


class Variants:
    """The objectives of a grid: one for each combination of constants, in C order.

    Parameters
    ----------
    objective : Objective
        With the constants that all runs share.
    axes : mapping of Axis
        The constants that vary, by name.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> each = Variants(Rosenbrock(), {"b": Axis(values=[1.0, 10.0])})
    >>> len(each), each[1].constants
    (2, (1.0, 10.0))
    """

    def __init__(self, objective: Objective, axes: Axes) -> None:
        self._objective = objective
        self._points = {name: axis.points for name, axis in axes.items()}
        self._known: dict[int, Objective] = {}

    def __len__(self) -> int:
        """How many objectives."""
        return math.prod(points.size for points in self._points.values())

    def __getitem__(self, number: int) -> Objective:
        """The objective of a combination; each is made once."""
        if number not in self._known:
            shape = [points.size for points in self._points.values()]
            at = np.unravel_index(number, shape) if shape else ()
            pairs = zip(self._points.items(), at, strict=True)
            values = {name: float(points[i]) for (name, points), i in pairs}
            self._known[number] = self._objective.with_constants(values)
        return self._known[number]

    def of(self, values: Mapping[str, float]) -> Objective:
        """The objective of the combination nearest to these constants."""
        shape = [points.size for points in self._points.values()]
        at = [int(np.abs(points - values[n]).argmin()) for n, points in self._points.items()]
        return self[int(np.ravel_multi_index(at, shape))] if at else self[0]

    def __iter__(self) -> Iterator[Objective]:
        """All objectives, in order."""
        return (self[number] for number in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the objectives, which can be made again."""
        return {**self.__dict__, "_known": {}}

    @functools.cached_property
    def f_min(self) -> NDArray[np.float64]:
        """Smallest value of each objective, shape (n_variants,); NaN where there is none."""
        return np.array([np.nan if one.f_min is None else one.f_min for one in self])


def variants_of(grid: Grid, runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which combination of the objective's constants each run has, in C order.

    Parameters
    ----------
    grid : Grid
        All runs.
    runs : ndarray of int
        Numbers of the wanted runs.

    Returns
    -------
    ndarray of int
        0 where no constant is an axis.

    Examples
    --------
    >>> grid = Grid(lr=0.1, start=[(1, 1), (2, 2)], objective={"b": [1.0, 10.0]})
    >>> variants_of(grid, np.arange(4)).tolist()
    [0, 0, 1, 1]
    """
    axes = [f"objective_{name}" for name in grid.objective or {}]
    if not axes:
        return np.zeros(np.shape(runs), np.int64)
    cells = dict(zip(grid.axes, np.unravel_index(runs, grid.shape), strict=True))
    sizes = [grid.axes[name].size for name in axes]
    return np.asarray(np.ravel_multi_index([cells[name] for name in axes], sizes), np.int64)


def axis_faults(grid: Grid, rule: UpdateRule, objective: Objective) -> Iterator[Fault]:
    """Faults of the axes of parameters and of constants.

    Parameters
    ----------
    grid, rule, objective
        Parts of an experiment.

    Yields
    ------
    (str, str)
        Key and message.
    """
    own = {parameter.name: parameter for parameter in rule.settable}
    for name, axis in (grid.rule or {}).items():
        key = f"grid.rule.{name}"
        if name not in own:
            having = [r.name for r in RULES.values() if name in {p.name for p in r.parameters}]
            if having:
                yield (
                    key,
                    (
                        f"must be left out, for the rule {rule.name} has none; "
                        f"drop it, or take the rule {' or '.join(having)}"
                    ),
                )
            elif name == "restart":
                yield key, "is text, and can be no axis; write it as rule.restart"
            else:
                yield key, f"is no parameter of the rule {rule.name}; {suggest(name, own)}"
            continue
        if name in rule.given:
            yield key, f"is an axis, and rule.{name} = {rule.given[name]:g} is fixed; drop one"
        for above in (False, True):
            yield from _out_of_range(key, axis, own[name], above)
    yield from _constant_faults(grid.objective or {}, objective)


def _out_of_range(key: str, axis: Axis, parameter: Parameter, above: bool) -> Iterator[Fault]:
    """Values beyond one end of a parameter's range, as a fault below a key."""
    end = parameter.high if above else parameter.low

    def is_bad(values: NDArray[np.float64]) -> NDArray[np.bool_]:
        refused = [not parameter.allows(value) for value in values.tolist()]
        return np.array(refused, bool) & ((values >= end) if above else (values <= end))

    try:
        axis.require(is_bad, parameter.range, above)
    except ValidationError as error:
        for one in error.errors():
            yield ".".join([key, *map(str, one["loc"])]), str(one["ctx"]["error"])
    except ValueError as error:
        yield key, str(error)


def _constant_faults(axes: Axes, objective: Objective) -> Iterator[Fault]:
    found = [fault for name, axis in axes.items() for fault in _own_faults(name, axis, objective)]
    yield from found
    count = math.prod(axis.points.size for axis in axes.values())
    most = MOST_SEARCHED if objective.searches_minimisers else MOST_VARIANTS
    if not found and count > most:
        what = ", each of which is searched for minimisers" * objective.searches_minimisers
        yield (
            "grid.objective",
            (
                f"makes {count:,} combinations of constants{what}, and may make {most:,}; "
                "make an axis shorter"
            ),
        )


def _own_faults(name: str, axis: Axis, objective: Objective) -> Iterator[Fault]:
    """What is wrong with an axis of one constant."""
    known, fixed = objective.named_constants, objective.fixed_constants
    key = f"grid.objective.{name}"
    if not known:
        yield key, f"must be left out, for {objective.name} has no such constants; drop it"
    elif name in objective.constant_names and name not in known:
        yield (
            key,
            "stands in an exponent of the formula, which is compiled for its value, and can be "
            "no axis; keep it in objective.constants, and run an experiment for each value",
        )
    elif name not in known:
        yield key, f"is no constant of {objective.name}; {suggest(name, known)}"
    elif name in fixed:
        yield key, f"is an axis, and objective.{name} = {known[name]:g} is fixed; drop one"
    else:
        ends = dict.fromkeys((float(axis.points[0]), float(axis.points[-1])))
        for value in ends:  # valid values form a range, so its ends suffice
            try:
                objective.with_constants({name: value})
            except InputError as error:
                yield key, str(error).removeprefix(f"{name} ")
                break
