"""Summaries of long lists: how many values, from where to where, and how they are spaced."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

LONG: Final = 6
"""Entries that are shown one by one."""

EVEN: Final = 1e-6
"""Largest relative difference of steps that count as even."""


def span(values: Sequence[Any] | np.ndarray[Any, Any]) -> str:
    """Summarise numbers or points in a few words; list them where they are few.

    Parameters
    ----------
    values : sequence
        Of numbers, or of points.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> span([0.1, 0.2])
    '0.1, 0.2'
    >>> span(np.geomspace(1e-4, 1e-2, 64))
    '64 from 0.0001 to 0.01, evenly spaced in the logarithm'
    >>> span([(x, 0.0) for x in range(100)])
    '100 points, from (0, 0) to (99, 0)'
    """
    if len(values) <= LONG:
        return ", ".join(_written(value) for value in values)
    first, last = _written(values[0]), _written(values[-1])
    if np.ndim(values[0]):
        return f"{len(values):,} points, from {first} to {last}"
    return f"{len(values):,} from {first} to {last}{_spacing(np.asarray(values, float))}"


def html_table(title: str, rows: Mapping[str, str]) -> str:
    """A small table for notebooks.

    Parameters
    ----------
    title : str
        Heading.
    rows : mapping of str
        Text by the name of its row.

    Returns
    -------
    str
        HTML, with all texts escaped.

    Examples
    --------
    >>> "&lt;script&gt;" in html_table("Experiment", {"title": "<script>"})
    True
    """
    cells = "".join(
        f'<tr><th style="text-align: left">{html.escape(name)}</th>'
        f'<td style="text-align: left">{html.escape(text)}</td></tr>'
        for name, text in rows.items()
    )
    return f"<strong>{html.escape(title)}</strong><table>{cells}</table>"


class Spanned:
    """Stands for a long list in a ``repr``.

    Parameters
    ----------
    values : sequence
        The list.

    Examples
    --------
    >>> Spanned(range(100))
    <100 from 0 to 99, evenly spaced>
    """

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def __repr__(self) -> str:
        """In angle brackets, because it is not Python."""
        return f"<{span(self._values)}>"


def _written(value: Any) -> str:
    if np.ndim(value):
        return "(" + ", ".join(f"{part:.6g}" for part in value) + ")"
    return f"{value:.6g}"


def _spacing(values: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    if _is_even(values):
        return ", evenly spaced"
    if values[0] > 0 and values.min() > 0 and _is_even(np.log(values)):
        return ", evenly spaced in the logarithm"
    return ""


def _is_even(values: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.diff(values)
        return bool(np.ptp(steps) <= EVEN * np.abs(steps).max())
