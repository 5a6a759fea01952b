"""Convert numeric arguments to plain float64, or refuse them with a message that says why.

NumPy is generous: a masked value turns into what lies under the mask, a complex number into its
real part, a date into nanoseconds. Each would give a result that nobody asked for. So every numeric
argument is checked here, once, at the edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.text import kind_of

Floats = NDArray[np.float64]

_KINDS: Final = {
    "b": ("truth values", "convert them with astype(float)"),
    "c": ("complex numbers", "give their real part"),
    "m": ("spans of time", "divide them by a unit"),
    "M": ("dates", "give the time since a date, as a number"),
    "S": ("text", "convert it with astype(float)"),
    "T": ("text", "convert it with astype(float)"),
    "U": ("text", "convert it with astype(float)"),
    "V": ("records", "give one of their fields"),
}
"""By NumPy's kind of array: what it holds, and what to do about it."""


def numbers(given: object, name: str = "", *, finite: bool = True) -> Floats:
    """Convert to an array of plain real numbers, of any shape.

    Parameters
    ----------
    given : object
        A number, nested lists of numbers, an array, a column of a table, ...
    name : str
        Name of the argument, to begin the message with; without, the message begins with "must".
    finite : bool
        Whether NaN and infinity are refused, too.

    Returns
    -------
    ndarray of float64
        Not a copy where the argument was such an array already.

    Raises
    ------
    InputError
        It has masked or missing entries, holds something other than real numbers (complex ones,
        dates, text, truth values), is ragged or sparse, or not finite. Entries are counted from 0.

    Examples
    --------
    >>> numbers([1, 2.5], "lr")
    array([1. , 2.5])
    >>> numbers(np.ma.masked_equal([1.0, 2.0], 2.0), "lr")
    Traceback (most recent call last):
    ...
    fastmomentum.errors.InputError: lr must be plain numbers: got a masked array, 1 of whose 2 \
entries is masked; drop or fill it
    """
    if type(given) is not np.ndarray:
        for part in _parts(given):
            _refuse_hidden(part, name)
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        if isinstance(given, list | tuple):
            raise _refused(name, "a list whose rows differ in length", "even them out") from None
        raise _refused(name, f"{kind_of(given)} ({_one_line(error)})", "") from None
    if array.dtype.kind == "O":
        array = _unboxed(array, given, name)
    if array.dtype.kind not in "iuf":
        held, advice = _KINDS.get(array.dtype.kind, (f"the type {array.dtype}", ""))
        first = f", such as {_shown(array.flat[0])}" if array.size else ""
        raise _refused(name, held + first, advice)
    with np.errstate(over="ignore"):  # from a wider float; infinities are refused below
        array = np.asarray(array, float)
    if finite and not (fits := np.isfinite(array)).all():
        at = tuple(int(i) for i in np.argwhere(~fits)[0])
        drop = "; drop it" if at else ""
        raise InputError(
            f"{name} must be a finite number: got {float(array[at])!r}{_entry(at)}{drop}".lstrip()
        )
    return array


def number(given: object, name: str, *, finite: bool = True) -> float:
    """A single plain real number.

    Parameters
    ----------
    given : object
        A number, or an array of one.
    name : str
        Name of the argument.
    finite : bool
        Whether NaN and infinity are refused.

    Returns
    -------
    float

    Raises
    ------
    InputError
        As for `numbers`, or there are several.

    Examples
    --------
    >>> number(np.float32(0.5), "tail")
    0.5
    """
    if isinstance(given, str | bytes):
        quoted = "; write it without quotes" if _is_number(given) else ""
        raise InputError(f"{name} must be a number: got {_shown(given)}{quoted}")
    found = numbers(given, name, finite=finite)
    if found.size != 1:
        raise InputError(f"{name} must be one number: got {found.size:,} of them")
    return float(found.item())


def whole(given: object, name: str, least: int | None = None, most: int | None = None) -> int:
    """A single whole number; 5e3 counts as one.

    Parameters
    ----------
    given : object
        A number.
    name : str
        Name of the argument.
    least, most : int, optional
        Bounds, both included.

    Returns
    -------
    int

    Raises
    ------
    InputError
        It is no whole number, or lies outside.

    Examples
    --------
    >>> whole(5e3, "every", least=1)
    5000
    """
    found = int(given) if type(given) is int else number(given, name)
    if found != int(found):
        raise InputError(f"{name} must be a whole number: got {found!r}")
    found = int(found)
    if least is not None and found < least:
        must = "be positive" if least == 1 else f"be at least {least}"
        raise InputError(f"{name} must {must}: got {found}")
    if most is not None and found > most:
        raise InputError(f"{name} must be at most {most}: got {found}")
    return found


def workers(given: object) -> int:
    """A number of workers, as in every ``n_jobs`` argument.

    Parameters
    ----------
    given : object
        A whole number, positive or -1.

    Returns
    -------
    int

    Raises
    ------
    InputError
        It is something else.

    Examples
    --------
    >>> workers(-1)
    -1
    """
    found = whole(given, "n_jobs")
    if found == 0 or found < -1:
        raise InputError(f"n_jobs must be positive, or -1 for one per core: got {found}")
    return found


def require_flag(given: object, name: str) -> None:
    """Refuse what is neither true nor false: the word "no" would count as true.

    Parameters
    ----------
    given : object
        A truth value of Python or NumPy.
    name : str
        Name of the argument.

    Raises
    ------
    InputError
        It is something else.

    Examples
    --------
    >>> require_flag(True, "overwrite")
    """
    if not isinstance(given, bool | np.bool_):
        raise InputError(f"{name} must be True or False: got {_shown(given)}")


def _parts(given: object) -> Iterator[object]:
    """The argument and the entries of its lists, where NumPy does not check for masks and bools."""
    yield given
    if isinstance(given, list | tuple):
        for part in given:
            if type(part) is not float:
                yield from _parts(part)


def _refuse_hidden(part: Any, name: str) -> None:
    """Refuse what would silently turn into another number in an array."""
    if isinstance(part, bool | np.bool_):
        raise _refused(name, f"{part}", "write 1 or 0 if that is meant")
    if isinstance(part, np.ma.MaskedArray):
        masked = int(np.ma.getmaskarray(part).sum())
        if masked:
            verb, them = ("is", "it") if masked == 1 else ("are", "them")
            raise _refused(
                name,
                f"a masked array, {masked:,} of whose {part.size:,} entries {verb} masked",
                f"drop or fill {them}",
            )
    if hasattr(part, "toarray") and not hasattr(part, "__array__"):
        raise _refused(name, kind_of(part), "convert it with toarray()")


def _unboxed(array: NDArray[Any], given: object, name: str) -> NDArray[Any]:
    """Convert an array of Python objects, if all are numbers."""
    for at in np.ndindex(array.shape):
        entry = array[at]
        if isinstance(entry, bool | np.bool_ | np.timedelta64) or not isinstance(
            entry, int | float | np.integer | np.floating
        ):
            if not at:
                listed = hasattr(entry, "__iter__") and not isinstance(entry, dict)
                raise _refused(name, kind_of(given), "make a list of it" if listed else "")
            missing = entry is None or type(entry).__name__ in ("NAType", "NaTType")
            advice = "drop or fill what is missing" if missing else "convert it to float"
            raise _refused(name, f"{_shown(entry)}{_entry(at)}", advice)
    try:
        return array.astype(float)
    except OverflowError:
        raise _refused(name, "a whole number that float64 cannot hold", "rescale it") from None


def _refused(name: str, got: str, advice: str) -> InputError:
    end = f"; {advice}" if advice else ""
    return InputError(f"{name} must be plain numbers: got {got}{end}".lstrip())


def _entry(at: tuple[int, ...]) -> str:
    return f" (entry {', '.join(map(str, at))})" if at else ""


def _shown(entry: object) -> str:
    text = " ".join((repr(str(entry)) if isinstance(entry, str) else str(entry)).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 80 else text[:77] + "..."


def _is_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
