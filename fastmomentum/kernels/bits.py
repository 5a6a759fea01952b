"""Numba overloads of `elementary` and `noise`, registered when this module is imported.

The functions are plain Python, which NumPy runs. Here each helper of `elementary.bits` gets the
instruction that does the same to a single number, and the functions themselves are registered
unchanged, to be inlined into their callers: a loop around a call would not be vectorised.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, lower_builtin, overload, type_callable

from fastmomentum.elementary import (
    bits,
    exponential,
    hyperbolic,
    logarithm,
    polygons,
    trigonometric,
    turns,
)
from fastmomentum.kernels.words import WORD_FORMS
from fastmomentum.noise import MODULES as NOISE

INLINED: Final[Any] = {
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""How functions called in a kernel's loop are compiled: by default LLVM leaves long functions as
calls. Nobody calls them from Python or C, and making wrappers takes an eighth of the time."""


def _operation(name: str) -> Any:
    """An LLVM intrinsic on one double that is a single instruction on every machine."""

    @intrinsic  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
    def operation(_typing_context: Any, x: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            function = builder.module.declare_intrinsic(name, [ir.DoubleType()])
            return builder.call(function, arguments)

        return types.float64(types.float64), generate

    return operation


def _bitcast(source: Any, target: Any) -> Any:
    """The same bits, read as another type."""

    @intrinsic  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
    def operation(_typing_context: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(target))

        return target(source), generate

    return operation


def frozen(x: Any) -> Any:
    """Give the same double, but in kernels as one beyond which LLVM does not look.

    "Store one of two, of which the other is what is there" becomes a masked store otherwise, which
    takes AMD's cores longer than the whole update.
    """
    return x


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def _freeze(_typing_context: Any, x: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        (value,) = arguments
        instruction = ir.instructions.Instruction(builder.block, value.type, "freeze", (value,))
        builder._insert(instruction)
        return instruction

    return types.float64(types.float64), generate


def widest_vectors() -> None:
    """Ask LLVM for the machine's widest vectors in the calling function, if it is compiled.

    On many processors it prefers vectors of half that width, for the sake of code that uses few;
    here that would cost a third of the speed. A function with loops of its own has to ask as well:
    its loops are vectorised before it is inlined.
    """


@type_callable(widest_vectors)  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def _type_of_asking(_context: Any) -> Any:
    return lambda: types.none


@lower_builtin(widest_vectors)  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def _ask(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
    # Not an overload: that would be a function of its own, and the attribute would be set there.
    # Numba has no option for it, and llvmlite's set of attributes refuses the name, so it is added
    # through the base class.
    set.add(builder.function.attributes, '"prefer-vector-width"="512"')
    return context.get_dummy_value()


_rint, _root = _operation("llvm.rint"), _operation("llvm.sqrt")
_to_bits = _bitcast(types.float64, types.uint64)
_to_double = _bitcast(types.uint64, types.float64)


def _select(condition: Any, one: Any, other: Any) -> Any:
    return one if condition else other


def _nearest(x: Any) -> Any:
    return _rint(x) + 0.0


def _sqrt(x: Any) -> Any:
    return _root(x)


def _bits_of(x: Any) -> Any:
    return _to_bits(x)


def _double_of(pattern: Any) -> Any:
    return _to_double(pattern)


def _frozen(x: Any) -> Any:
    return _freeze(x)


FORMS: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    bits.select: _select,
    bits.nearest: _nearest,
    bits.sqrt: _sqrt,
    bits.bits_of: _bits_of,
    bits.double_of: _double_of,
    frozen: _frozen,
    **WORD_FORMS,
}
"""Overloads that numba compiles in place of helpers of `elementary.bits` and `noise`."""


def _register(function: Callable[..., Any], form: Callable[..., Any]) -> None:
    overload(function, jit_options=INLINED, strict=False)(lambda *_: form)


for _helper, _form in FORMS.items():
    _register(_helper, _form)
for _module in (exponential, hyperbolic, logarithm, polygons, trigonometric, turns, *NOISE):
    for _function in vars(_module).values():
        is_own = inspect.isfunction(_function) and _function.__module__ == _module.__name__
        if is_own and _function not in FORMS:
            _register(_function, _function)
