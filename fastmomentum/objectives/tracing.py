"""A Python function as a formula: it is called once, with symbols that record what it does."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final, NoReturn, overload

import numpy as np

from fastmomentum.errors import InputError
from fastmomentum.objectives.formula import Formula
from fastmomentum.objectives.tokens import LONGEST

_OR, _AND, _COMPARED, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 9)

BRANCH: Final = (
    "an objective is traced once, with symbols, so it cannot branch on its parameters (if, while, "
    "and, or, not, min, max); write np.where(condition, then, otherwise), with & | ~ to join "
    "conditions"
)

_CALLS: Final = {
    "sin": "sin", "cos": "cos", "tan": "tan", "exp": "exp", "log": "log", "sqrt": "sqrt",
    "tanh": "tanh", "absolute": "abs", "fabs": "abs", "minimum": "min", "maximum": "max",
    "fmin": "min", "fmax": "max",
}  # fmt: skip
_OPERATORS: Final = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/",
    "power": "^", "float_power": "^", "less": "<", "less_equal": "<=", "greater": ">",
    "greater_equal": ">=", "equal": "==", "not_equal": "!=", "logical_and": "and",
    "logical_or": "or", "bitwise_and": "and", "bitwise_or": "or",
}  # fmt: skip
_LEVELS: Final = {
    "or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "^": _POWER,
}  # fmt: skip


def _operator(sign: str) -> Callable[[Any, Any], Symbol]:
    return lambda self, other: _binary(sign, self, other)


def _reflected(sign: str) -> Callable[[Any, Any], Symbol]:
    return lambda self, other: _binary(sign, other, self)


class Symbol:
    """Stands for a number while a function is traced, and records its expression as text."""

    __slots__ = ("level", "text")
    __hash__ = None  # type: ignore[assignment]  # equal is a condition here

    def __init__(self, text: str, level: int = _ATOM) -> None:
        if len(text) > LONGEST:
            raise InputError(
                f"the function becomes a formula of more than {LONGEST:,} characters; make it "
                "shorter, with fewer rounds of its loops"
            )
        self.text, self.level = text, level

    __add__, __radd__ = _operator("+"), _reflected("+")
    __sub__, __rsub__ = _operator("-"), _reflected("-")
    __mul__, __rmul__ = _operator("*"), _reflected("*")
    __truediv__, __rtruediv__ = _operator("/"), _reflected("/")
    __pow__, __rpow__ = _operator("^"), _reflected("^")
    __lt__, __le__ = _operator("<"), _operator("<=")
    __gt__, __ge__ = _operator(">"), _operator(">=")
    __eq__ = _operator("==")  # type: ignore[assignment]
    __ne__ = _operator("!=")  # type: ignore[assignment]
    __and__, __or__ = _operator("and"), _operator("or")
    __rand__, __ror__ = _reflected("and"), _reflected("or")

    def __invert__(self) -> Symbol:
        """The negated condition."""
        return Symbol(f"not ({self.text})", _AND)

    def __neg__(self) -> Symbol:
        """Minus."""
        return Symbol(f"-{self.inside(_SIGN)}", _SIGN)

    def __pos__(self) -> Symbol:
        """Plus, which changes nothing."""
        return self

    def __abs__(self) -> Symbol:
        """The absolute value."""
        return Symbol(f"abs({self.text})")

    def __bool__(self) -> NoReturn:
        """Refuse: which branch is taken is not known yet."""
        raise InputError(BRANCH)

    def _no_number(self, *_: Any) -> NoReturn:
        raise InputError(
            "an objective is traced once, with symbols, and something in it wants a number: take "
            "NumPy's functions (np.sin and not math.sin), and no int, round, // or %"
        )

    __float__ = __int__ = __index__ = __complex__ = __round__ = _no_number
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __iter__ = __len__ = _no_number

    def inside(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly."""
        return self.text if self.level >= level else f"({self.text})"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Symbol:
        """Record a call of one of NumPy's elementwise functions."""
        name = ufunc.__name__
        if method == "__call__" and not options:
            if name in _CALLS:
                return _call(_CALLS[name], *inputs)
            if name in _OPERATORS:
                return _binary(_OPERATORS[name], *inputs)
            if name in _OTHERS:
                return _OTHERS[name](*inputs)
        raise InputError(f"np.{name} cannot be traced; {_KNOWN}")

    def __array_function__(self, function: Any, _types: Any, given: Any, options: Any) -> Symbol:
        """Record np.where and np.clip, which NumPy dispatches here."""
        if function is np.where and len(given) == 3 and not options:
            return _call("where", *given)
        if function is np.clip and len(given) == 3 and not options:
            return _call("min", _call("max", given[0], given[1]), given[2])
        raise InputError(f"np.{function.__name__} cannot be traced; {_KNOWN}")


def _binary(sign: str, left: Any, right: Any) -> Symbol:
    one, other = _symbol(left), _symbol(right)
    level = _LEVELS.get(sign, _COMPARED)
    near = level if sign in ("+", "-", "*", "/", "and", "or") else level + 1
    far = level if sign in ("+", "*", "and", "or") else level + 1
    if sign == "^":
        near, far = _ATOM, _ATOM
    return Symbol(f"{one.inside(near)} {sign} {other.inside(far)}", level)


def _call(name: str, *parts: Any) -> Symbol:
    return Symbol(f"{name}({', '.join(_symbol(part).text for part in parts)})")


def _symbol(value: Any) -> Symbol:
    if isinstance(value, Symbol):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_):
        return Symbol("1 == 1" if value else "1 == 0", _COMPARED)
    if not isinstance(value, int | float | np.integer | np.floating):
        kind = type(value).__name__
        raise InputError(f"an objective is made of single numbers: got {kind} {value!r:.40}")
    number = float(value)
    text = repr(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if "n" in text:
        raise InputError(f"an objective is made of finite numbers: got {text}")
    return Symbol(text, _ATOM if number >= 0 else _SIGN)


_OTHERS: Final[dict[str, Callable[..., Symbol]]] = {
    "negative": lambda a: -a,
    "positive": lambda a: a,
    "square": lambda a: a**2,
    "reciprocal": lambda a: 1.0 / a,
    "logical_not": lambda a: ~a,
    "invert": lambda a: ~a,
    "exp2": lambda a: 2.0**a,
    "hypot": lambda a, b: _call("sqrt", _symbol(a) ** 2 + _symbol(b) ** 2),
    "sinh": lambda a: 0.5 * (np.exp(a) - np.exp(-a)),
    "cosh": lambda a: 0.5 * (np.exp(a) + np.exp(-a)),
    "sign": lambda a: _call("where", a > 0, 1, _call("where", a < 0, -1, 0)),
}
_KNOWN: Final = "known are np.where, np.clip, + - * / **, and " + ", ".join(
    f"np.{name}" for name in [*_CALLS, *_OTHERS] if name not in ("fmin", "fmax", "positive")
)


@overload
def objective(function: Callable[..., Any], /) -> Formula: ...
@overload
def objective(**fields: Any) -> Callable[[Callable[..., Any]], Formula]: ...
def objective(function: Callable[..., Any] | None = None, /, **fields: Any) -> Any:
    """Make a formula from a Python function; a decorator.

    The function is called once, with symbols that record NumPy's functions and operators; the
    result is a `Formula` that runs without the function. The first two parameters are the
    variables, the others, which have defaults, the constants.

    Parameters
    ----------
    function : callable
        Of two parameters and constants: ``+ - * / **``, comparisons, ``np.where`` and NumPy's
        elementary functions.
    **fields
        ``box``, ``minimisers`` and ``label`` as for `Formula`, for ``@fm.objective(box=...)``; the
        label is the function's name where left out.

    Returns
    -------
    Formula
        Call it with constants to get the same formula with these.

    Raises
    ------
    InputError
        The function branches on its parameters, or does something that is no formula.

    Examples
    --------
    >>> import numpy as np
    >>> import fastmomentum as fm
    >>> @fm.objective
    ... def hills(x, y, height=1.0):
    ...     return height * (x**2 + 3 * y**2) * np.exp(1 - x**2 - y**2)
    >>> hills.formula
    'height * (x ^ 2 + 3 * y ^ 2) * exp(1 - x ^ 2 - y ^ 2)'
    >>> hills(height=2.0).constants
    (2.0,)
    """
    if function is None:
        return functools.partial(_traced, fields=fields)
    return _traced(function, fields)


def _traced(function: Callable[..., Any], fields: dict[str, Any]) -> Formula:
    if not callable(function):
        raise InputError(f"an objective is a function of two parameters: got {function!r:.60}")
    parameters = list(inspect.signature(function).parameters.values())
    name = getattr(function, "__name__", "objective")
    constants: dict[str, Any] = {}
    usual = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    for number, parameter in enumerate(parameters):
        is_variable = number < 2
        has_default = parameter.default is not inspect.Parameter.empty
        positional = parameter.kind in (usual[0], inspect.Parameter.POSITIONAL_ONLY)
        if (is_variable and (has_default or not positional)) or (
            not is_variable and (not has_default or parameter.kind not in usual)
        ):
            raise InputError(
                f"{name} must have two parameters without defaults, the variables, and others "
                f"with defaults, the constants: got {parameter}"
            )
        if not is_variable:
            constants[parameter.name] = parameter.default
    if len(parameters) < 2:
        raise InputError(f"{name} must have two parameters at least: got {len(parameters)}")
    variables = tuple(parameter.name for parameter in parameters[:2])
    symbols = {constant: Symbol(constant) for constant in constants}
    result = function(*(Symbol(variable) for variable in variables), **symbols)
    text = _symbol(result).text
    given: dict[str, Any] = {"label": name, "variables": variables, "constants": constants}
    return Formula(text, **(given | fields))
