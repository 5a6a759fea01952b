"""Elementary functions of our own: the same bits on every machine, in NumPy and in the kernels.

The C library's differ from machine to machine in the last bit, and a loop that calls them is not
vectorised. These are plain functions of + - * / and of the few exact operations in `bits`, without
branches: they take numbers and NumPy arrays, and kernels compile them into their loops. Each module
says where its method comes from and how large its errors are.
"""

from fastmomentum.elementary.bits import select as select
from fastmomentum.elementary.bits import sqrt as sqrt
from fastmomentum.elementary.exponential import decay as decay
from fastmomentum.elementary.exponential import exp as exp
from fastmomentum.elementary.exponential import short_decay as short_decay
from fastmomentum.elementary.hyperbolic import tanh as tanh
from fastmomentum.elementary.logarithm import log as log
from fastmomentum.elementary.trigonometric import cos as cos
from fastmomentum.elementary.trigonometric import sin as sin
from fastmomentum.elementary.trigonometric import tan as tan
from fastmomentum.elementary.turns import cos_turns as cos_turns
from fastmomentum.elementary.turns import haversine_turns as haversine_turns
from fastmomentum.elementary.turns import sin_turns as sin_turns

__all__ = [
    "cos",
    "cos_turns",
    "decay",
    "exp",
    "haversine_turns",
    "log",
    "select",
    "short_decay",
    "sin",
    "sin_turns",
    "sqrt",
    "tan",
    "tanh",
]
