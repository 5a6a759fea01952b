"""Checks of what the theory of second moments is given, so that nonsense gets a line."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.specification.numbers import numbers

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Least relative difference that is more than rounding."""


def settings(lr: ArrayLike, momentum: ArrayLike) -> tuple[Floats, Floats]:
    """Learning rates and momenta, broadcast.

    Raises
    ------
    InputError
        They are not plain finite numbers, or their shapes do not broadcast.
    """
    eta, m = numbers(lr, "lr"), numbers(momentum, "momentum")
    require_broadcast(lr=eta.shape, momentum=m.shape)
    eta, m = np.broadcast_arrays(eta, m)
    return eta, m


def require_broadcast(**shapes: tuple[int, ...]) -> None:
    """Refuse shapes that do not broadcast, by the names of what has them."""
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(
            f"{', '.join(shapes)} must have shapes that broadcast: got {told}; give one of two "
            "axes another dimension, such as lr[:, np.newaxis]"
        ) from None


def symmetric(given: ArrayLike, name: str) -> Floats:
    """A symmetric matrix.

    Raises
    ------
    InputError
        It is none, or not of plain finite numbers.
    """
    matrix = numbers(given, name)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise InputError(f"{name} must be a square matrix: got the shape {matrix.shape}")
    if not np.allclose(matrix, matrix.T, rtol=ROUNDING, atol=0.0):
        raise InputError(f"{name} must be symmetric: got {matrix.tolist()}")
    return matrix


def covariance(given: ArrayLike, name: str, size: int, whose: str = "the hessian") -> Floats:
    """A covariance of `size` coordinates; `whose` says what else has so many.

    Raises
    ------
    InputError
        It is none: not symmetric, of another shape, or with a negative variance somewhere.
    """
    matrix = symmetric(given, name)
    if matrix.shape != (size, size):
        raise InputError(
            f"{name} must have the shape of {whose}, {(size, size)}: got {matrix.shape}"
        )
    along = np.linalg.eigvalsh(matrix)
    if along[0] < -ROUNDING * np.abs(along).max():
        raise InputError(
            f"{name} must be a covariance, whose eigenvalues are at least 0: got one of "
            f"{along[0]:.6g}"
        )
    return matrix


def point(given: ArrayLike, name: str, size: int) -> Floats:
    """A point of `size` coordinates.

    Raises
    ------
    InputError
        It is none, or not of plain finite numbers.
    """
    found = numbers(given, name)
    if found.shape != (size,):
        raise InputError(f"{name} must have the shape ({size},): got {found.shape}")
    return found


def hessians(given: ArrayLike) -> Floats:
    """Hessians of rows, shape (n, d, d).

    Raises
    ------
    InputError
        They are of another shape, not symmetric, or not of plain finite numbers.
    """
    rows = numbers(given, "row_hessians")
    if rows.ndim != 3 or rows.shape[1] != rows.shape[2] or not rows.size:
        raise InputError(
            f"row_hessians must have the shape (n, d, d), of one row at least: got {rows.shape}"
        )
    flat = np.isclose(rows, rows.swapaxes(1, 2), rtol=ROUNDING, atol=0.0).all(axis=(1, 2))
    if not flat.all():
        first = int(np.argmin(flat))
        raise InputError(
            f"row_hessians must be symmetric: got {rows[first].tolist()} (entry {first})"
        )
    return rows


def gradients(given: ArrayLike, beside: Floats | None = None) -> Floats:
    """Gradients of rows, shape (n, d); of as many rows and coordinates as the Hessians `beside`.

    Raises
    ------
    InputError
        They are of another shape, or not of plain finite numbers.
    """
    rows = numbers(given, "row_gradients")
    if rows.ndim != 2 or not rows.size:
        raise InputError(
            f"row_gradients must have the shape (n, d), of one row at least: got {rows.shape}"
        )
    if beside is not None and rows.shape != beside.shape[:2]:
        raise InputError(
            f"row_gradients must have the shape {beside.shape[:2]}, one gradient for each of "
            f"row_hessians: got {rows.shape}"
        )
    return rows
