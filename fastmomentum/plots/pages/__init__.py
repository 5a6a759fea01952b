"""Whole figures: functions that take results and give a Figure, for notebooks and commands."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from fastmomentum.plots.pages.page import Page as Page

if TYPE_CHECKING:
    from fastmomentum.plots.pages.batch_sizes import batches as batches
    from fastmomentum.plots.pages.compared import comparison as comparison
    from fastmomentum.plots.pages.fine_map import refined as refined
    from fastmomentum.plots.pages.maps import phase as phase
    from fastmomentum.plots.pages.panels import report as report
    from fastmomentum.plots.pages.paths import contour as contour
    from fastmomentum.plots.pages.paths import surface as surface
    from fastmomentum.plots.pages.polygon_cycles import cycles as cycles
    from fastmomentum.plots.pages.progress import loss as loss
    from fastmomentum.plots.pages.schedules import schedule as schedule
    from fastmomentum.plots.pages.settled import stationary as stationary
    from fastmomentum.plots.pages.starts import basins as basins
    from fastmomentum.plots.pages.two_rules import duel as duel

_HOMES: Final = {
    "batches": "batch_sizes",
    "cycles": "polygon_cycles",
    "phase": "maps",
    "report": "panels",
    "contour": "paths",
    "surface": "paths",
    "loss": "progress",
    "refined": "fine_map",
    "schedule": "schedules",
    "stationary": "settled",
    "basins": "starts",
    "comparison": "compared",
    "duel": "two_rules",
}
"""By page, its module, which is loaded when the page is first used: some bring a compiler along."""


def __getattr__(name: str) -> Any:
    """Load a page."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
