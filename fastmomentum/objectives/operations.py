"""How much arithmetic a function takes, to estimate the time that a plan needs."""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Callable
from typing import Any


@functools.lru_cache(maxsize=256)  # a formula may have 40,000 parts
def count_operations(function: Callable[..., Any]) -> int:
    """Count the arithmetic in a plain function without branches, and in the functions it calls.

    Parameters
    ----------
    function : callable
        A plain Python function.

    Returns
    -------
    int
        Operators and comparisons, those of a called function once per call.

    Examples
    --------
    >>> count_operations(lambda x, y: 2.0 * x + y)
    2
    """
    count = 0
    for instruction in dis.get_instructions(function):
        if instruction.opname.startswith(("BINARY_OP", "UNARY_NEGATIVE", "COMPARE_OP")):
            count += 1
        elif instruction.opname == "LOAD_GLOBAL":
            called = function.__globals__.get(instruction.argval)
            count += count_operations(called) if isinstance(called, types.FunctionType) else 0
    return count
