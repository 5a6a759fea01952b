"""Checks of drawing functions' arguments: a line says what was expected and what came."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, TypeVar

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.results.labelled import Labelled, LabelledArray
from fastmomentum.text import kind_of

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """What an argument must be.

    Attributes
    ----------
    words : str
        What it is called, and how one comes by it.
    is_one : callable
        Whether something is one.
    """

    words: str
    is_one: Callable[[Any], bool]


AXES: Final = Kind("an Axes of matplotlib", lambda given: isinstance(given, Axes))
FIGURE: Final = Kind("a Figure of matplotlib", lambda given: isinstance(given, Figure))
LINE: Final = Kind(
    "a line of matplotlib, such as ax.plot(x, y)[0]", lambda given: isinstance(given, Line2D)
)
ARTIST: Final = Kind("an artist of matplotlib", lambda given: isinstance(given, Artist))
RESULTS: Final = Kind(
    "results, from fm.run or fm.open",
    lambda given: isinstance(given, Labelled),
)
ARRAY: Final = Kind(
    "a DataArray, such as fm.analysis.measured_rate(ds).rate",
    lambda given: isinstance(given, LabelledArray) and not isinstance(given, Labelled),
)
TEXTS: Final = Kind(
    "a list of texts",
    lambda given: isinstance(given, list | tuple) and all(isinstance(one, str) for one in given),
)
TWO_NAMES: Final = Kind(
    "two names, such as ('heavy ball', 'Nesterov')",
    lambda given: TEXTS.is_one(given) and len(given) == 2,
)
OBJECTIVE: Final = Kind(
    "an objective, such as fm.Rosenbrock()", lambda given: isinstance(given, Objective)
)


def drawn_by(artists: type[Any], function: str) -> Kind:
    """What a drawing function gives, for one that draws more of it.

    Parameters
    ----------
    artists : type
        The artists' class.
    function : str
        Name of that function.

    Returns
    -------
    Kind
    """
    return Kind(f"what {function} gives", lambda given: isinstance(given, artists))


def each(kind: Kind, words: str) -> Kind:
    """A list of such arguments.

    Parameters
    ----------
    kind : Kind
        Of each entry.
    words : str
        What the list is called.

    Returns
    -------
    Kind
    """
    return Kind(
        words,
        lambda given: isinstance(given, Sequence) and all(kind.is_one(entry) for entry in given),
    )


def takes(**kinds: Kind) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Check arguments of a drawing function before it draws.

    Parameters
    ----------
    **kinds : Kind
        By argument; one that is None where that is its default is not looked at.

    Returns
    -------
    callable
        A decorator. What it decorates raises `InputError` for arguments of another kind, in
        another order, too many or too few.

    Examples
    --------
    >>> @takes(ax=AXES)
    ... def draw(ax): ...
    >>> draw(3)
    Traceback (most recent call last):
    ...
    fastmomentum.errors.InputError: draw: ax must be an Axes of matplotlib: got an int
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)
        order = f"{function.__name__}({', '.join(signature.parameters)})"

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise InputError(f"{order}: {error}") from None
            wrong = {
                name: given[name]
                for name, kind in kinds.items()
                if name in given
                and not (given[name] is None and signature.parameters[name].default is None)
                and not kind.is_one(given[name])
            }
            for name, value in wrong.items():
                meant = [other for other in wrong if kinds[other].is_one(value)]
                if meant:
                    raise InputError(
                        f"{order} takes its arguments in this order: got for {name} what "
                        f"{meant[0]} must be"
                    )
            for name, value in wrong.items():
                raise InputError(
                    f"{function.__name__}: {name} must be {kinds[name].words}: got {kind_of(value)}"
                )
            return function(*args, **kwargs)

        return checked

    return decorate
