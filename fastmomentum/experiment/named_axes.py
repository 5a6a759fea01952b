"""Axes by name: which numbers of an experiment's parts may vary over its grid.

For a part of the experiment, such as its rule, the grid has a table of axes under the same key:
`grid.rule` has an axis for each parameter that varies. `NAMED` holds all that differs between these
tables; labels, files, selection and reuse loop over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from fastmomentum.errors import InputError
from fastmomentum.experiment.axis import Axis
from fastmomentum.objectives import Objective
from fastmomentum.rules import RULES, Parameter
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.specification.messages import Fault
from fastmomentum.text import suggest

MOST_SEARCHED: Final = 256
"""Most combinations of constants where minimisers are searched for each."""
MOST_VARIANTS: Final = 65_536
"""Most combinations of constants where minimisers are known: each is an objective in memory."""

AxesByName = Mapping[str, Axis]


@dataclass(frozen=True)
class NamedAxes:
    """Axes over the numbers of one part of an experiment.

    Attributes
    ----------
    prefix : str
        Start of their names in results.
    example : str
        A line of the table, for messages.
    names : callable
        ``names(part)``: the part's numbers, in the order of the grid's dimensions.
    meaning : callable
        ``meaning(part, name)``: what a number is, in a few words.
    fixed : callable
        ``fixed(part, name)``: its value where it is not an axis.
    faults : callable
        ``faults(axes, part)``: what is wrong with a table of axes, as keys below the table and
        messages.
    """

    prefix: str
    example: str
    names: Callable[[Any], Sequence[str]]
    meaning: Callable[[Any, str], str]
    fixed: Callable[[Any, str], float]
    faults: Callable[[AxesByName, Any], Iterator[Fault]]


def axis_faults(tables: Mapping[str, AxesByName], parts: Mapping[str, object]) -> Iterator[Fault]:
    """Faults of the axes by name.

    Parameters
    ----------
    tables : mapping
        The grid's axes, by part.
    parts : mapping
        The experiment's parts, by the same keys.

    Yields
    ------
    (str, str)
        Key and message.
    """
    for key, axes in tables.items():
        for below, message in NAMED[key].faults(axes, parts[key]):
            yield f"grid.{key}{below}", message


def _meaning_of_parameter(rule: UpdateRule, name: str) -> str:
    return {parameter.name: parameter for parameter in rule.settable}[name].meaning


def _fixed_parameter(rule: UpdateRule, name: str) -> float:
    names = [parameter.name for parameter in rule.rule.parameters]
    if name in names:
        return float(rule.parameters[names.index(name)])
    # An unused option matches no value, not even 0: 0 times infinity is NaN.
    return float(rule.options.get(name, math.nan))


def _parameter_faults(axes: AxesByName, rule: UpdateRule) -> Iterator[Fault]:
    own = {parameter.name: parameter for parameter in rule.settable}
    for name, axis in axes.items():
        key = f".{name}"
        if name not in own:
            having = [r.name for r in RULES.values() if name in {p.name for p in r.parameters}]
            if having:
                yield (
                    key,
                    f"must be left out, as the rule {rule.name} has none; "
                    f"drop it, or take the rule {' or '.join(having)}",
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


def _constant_faults(axes: AxesByName, objective: Objective) -> Iterator[Fault]:
    found = [fault for name, axis in axes.items() for fault in _own_faults(name, axis, objective)]
    yield from found
    count = math.prod(axis.points.size for axis in axes.values())
    most = MOST_SEARCHED if objective.searches_minimisers else MOST_VARIANTS
    if not found and count > most:
        what = ", each of which is searched for minimisers" * objective.searches_minimisers
        yield (
            "",
            f"makes {count:,} combinations of constants{what}, and may make {most:,}; "
            "make an axis shorter",
        )


def _own_faults(name: str, axis: Axis, objective: Objective) -> Iterator[Fault]:
    """What is wrong with an axis of one constant."""
    known, fixed = objective.named_constants, objective.fixed_constants
    key = f".{name}"
    if not known:
        yield key, f"must be left out, as {objective.name} has no such constants; drop it"
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


NAMED: Final[Mapping[str, NamedAxes]] = {
    "rule": NamedAxes(
        prefix="",
        example="nu = [0.5, 0.7]",
        names=lambda rule: [parameter.name for parameter in rule.settable],
        meaning=_meaning_of_parameter,
        fixed=_fixed_parameter,
        faults=_parameter_faults,
    ),
    "objective": NamedAxes(
        prefix="objective_",
        example="b = [1.0, 100.0]",
        names=lambda objective: list(objective.named_constants),
        meaning=lambda _, name: f"constant {name} of the objective",
        fixed=lambda objective, name: float(objective.named_constants[name]),
        faults=_constant_faults,
    ),
}
"""By the key of the part, in the order of the grid's dimensions."""
