"""A line fitted with an optimiser, point by point."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.reference.optimisers import Optimiser
from fastmomentum.specification.numbers import numbers, whole
from fastmomentum.text import kind_of


def learn_line(
    x: ArrayLike,
    y: ArrayLike,
    optimiser: Optimiser,
    steps: int,
    start: tuple[float, float] = (-20.0, -20.0),
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit ``y = a x + b``, point by point: ``da = sum(-r x)``, ``db = sum(-r)``, r = y - (a x + b).

    These are the derivatives of half the sum of the squared residuals r, the objective "mse" with
    the reduction "half_sum".

    Parameters
    ----------
    x, y : array_like, shape (..., n)
        Data; ``...`` are lines to be fitted side by side.
    optimiser : Optimiser
        A new one.
    steps : int
        Updates, at least 1.
    start : (float, float)
        First a and b.

    Returns
    -------
    a, b : ndarray, shape (...)
        Slope and intercept **before** the last update, where the last gradient was computed.

    Raises
    ------
    InputError
        There is no update, the data have no shape in common, or there is no optimiser.

    Examples
    --------
    >>> from fastmomentum.reference import Momentum
    >>> a, b = learn_line([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], Momentum(lr=0.1), steps=300)
    >>> round(float(a), 4), round(float(b), 4)
    (2.0, 1.0)
    """
    x, y = numbers(x, "x"), numbers(y, "y")
    if not x.ndim or x.shape != y.shape:
        raise InputError(
            f"x and y must have one shape, (..., n): got the shapes {x.shape} and {y.shape}"
        )
    if not isinstance(optimiser, Optimiser):
        raise InputError(
            f"optimiser must be one such as Momentum(lr=0.1): got {kind_of(optimiser)}"
        )
    if whole(steps, "steps") < 1:
        raise InputError(f"steps must be at least 1: got {steps}")
    params = {key: np.full(x.shape[:-1], w, float) for key, w in zip("ab", start, strict=True)}
    for _ in range(steps):
        before = params["a"].copy(), params["b"].copy()
        residual = y - (params["a"][..., np.newaxis] * x + params["b"][..., np.newaxis])
        grads = {"a": (-residual * x).sum(axis=-1), "b": (-residual).sum(axis=-1)}
        optimiser.update(params, grads)
    return before
