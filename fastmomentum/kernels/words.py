"""Numba overloads of `noise`'s operations on words of 32 bits.

In `noise` the words are held in integers of 64 bits, for NumPy's sake. Here they are the machine's
own 32 bits, of which a vector holds twice as many. They are built from LLVM instructions, because
numba widens every integer that it adds to 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.types.containers import UniTuple
from numba.extending import intrinsic

from fastmomentum.noise import rows
from fastmomentum.noise import words as threefry

WORD: Final = ir.IntType(32)


def _words(builder: Any, numbers: Any) -> list[Any]:
    """The last 32 bits of integers."""
    return [n if n.type == WORD else builder.trunc(n, WORD) for n in numbers]


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def _add(_typing_context: Any, a: Any, b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.add(*_words(builder, arguments))

    return types.uint32(a, b), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def _mix(_typing_context: Any, a: Any, b: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, bits = _words(builder, arguments)
        kind = ir.FunctionType(WORD, [WORD, WORD, WORD])
        rotate = builder.module.declare_intrinsic("llvm.fshl", [WORD], kind)
        a = builder.add(a, b)
        b = builder.xor(builder.call(rotate, [b, b, bits]), a)
        return context.make_tuple(builder, signature.return_type, [a, b])

    return UniTuple(types.uint32, 2)(a, b, bits), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def _scramble(_typing_context: Any, position: Any, low_bits: Any, high_bits: Any, keys: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        *numbers, keys = arguments
        position, low_bits, high_bits = _words(builder, numbers)
        one = ir.Constant(WORD, 1)
        masks = [builder.sub(builder.shl(one, n), one) for n in (low_bits, high_bits)]
        halves = [builder.and_(position, masks[0]), builder.lshr(position, low_bits)]
        for k, key in enumerate(_words(builder, cgutils.unpack_tuple(builder, keys))):
            this, other = k % 2, 1 - k % 2
            changed = builder.and_(_hashed(builder, halves[other], key), masks[this])
            halves[this] = builder.xor(halves[this], changed)
        return builder.or_(builder.shl(halves[1], low_bits), halves[0])

    return types.uint32(position, low_bits, high_bits, keys), generate


def _hashed(builder: Any, half: Any, key: Any) -> Any:
    """See `noise.rows.hashed`."""
    z = builder.mul(builder.xor(half, key), ir.Constant(WORD, int(rows.MULTIPLY_1)))
    z = builder.xor(z, builder.lshr(z, ir.Constant(WORD, int(rows.SHIFT_1))))
    z = builder.mul(z, ir.Constant(WORD, int(rows.MULTIPLY_2)))
    return builder.xor(z, builder.lshr(z, ir.Constant(WORD, int(rows.SHIFT_2))))


def _total(a: Any, b: Any) -> Any:
    return _add(a, b)


def _mixed(a: Any, b: Any, bits: Any) -> Any:
    return _mix(a, b, bits)


def _scrambled(position: Any, low_bits: Any, high_bits: Any, keys: Any) -> Any:
    return _scramble(position, low_bits, high_bits, keys)


WORD_FORMS: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    threefry.total: _total,
    threefry.mixed: _mixed,
    rows.scrambled: _scrambled,
}
"""Overloads that numba compiles in place of these functions."""
