"""Pictures: functions that take an Axes and data, draw, and return the artists.

No pyplot and no global state: whoever calls owns the figure. ``STYLE`` holds the rcParams that the
project's own figures are made with; use it as ``with matplotlib.rc_context(STYLE): ...``.

``pages`` has whole figures: ``report(ds)``, ``phase(ds)``, ``basins(ds)``, ``loss(ds)``,
``duel(ds, other)``, ``stationary(ds)``, ``pages.contour(ds)`` and ``pages.surface(ds)`` give one
that a notebook shows.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from fastmomentum.plots import backend as backend  # before all that imports matplotlib

if TYPE_CHECKING:
    from fastmomentum.plots import pages as pages
    from fastmomentum.plots.basin_maps import BasinMap as BasinMap
    from fastmomentum.plots.basin_maps import basin_map as basin_map
    from fastmomentum.plots.basin_maps import shades_bar as shades_bar
    from fastmomentum.plots.basin_maps import shades_of as shades_of
    from fastmomentum.plots.boundaries import TheoryLines as TheoryLines
    from fastmomentum.plots.boundaries import theory_lines as theory_lines
    from fastmomentum.plots.cells import MOST_CELLS as MOST_CELLS
    from fastmomentum.plots.clouds import Cloud as Cloud
    from fastmomentum.plots.clouds import cloud as cloud
    from fastmomentum.plots.clouds import ellipse as ellipse
    from fastmomentum.plots.cycle_regions import CycleRegion as CycleRegion
    from fastmomentum.plots.cycle_regions import cycle_region as cycle_region
    from fastmomentum.plots.duels import DuelMap as DuelMap
    from fastmomentum.plots.duels import duel_bar as duel_bar
    from fastmomentum.plots.duels import duel_map as duel_map
    from fastmomentum.plots.fields import LOG_DECADES as LOG_DECADES
    from fastmomentum.plots.fields import Contours as Contours
    from fastmomentum.plots.fields import Field as Field
    from fastmomentum.plots.fields import Scale as Scale
    from fastmomentum.plots.fields import colour_bar as colour_bar
    from fastmomentum.plots.fields import contour as contour
    from fastmomentum.plots.fields import sample as sample
    from fastmomentum.plots.frames import FrameRenderer as FrameRenderer
    from fastmomentum.plots.frames import thinned as thinned
    from fastmomentum.plots.geometry import Floats as Floats
    from fastmomentum.plots.geometry import Window as Window
    from fastmomentum.plots.geometry import clip as clip
    from fastmomentum.plots.losses import LossCurves as LossCurves
    from fastmomentum.plots.losses import loss_curves as loss_curves
    from fastmomentum.plots.marks import Key as Key
    from fastmomentum.plots.marks import draw_keys as draw_keys
    from fastmomentum.plots.pages import basins as basins
    from fastmomentum.plots.pages import duel as duel
    from fastmomentum.plots.pages import loss as loss
    from fastmomentum.plots.pages import phase as phase
    from fastmomentum.plots.pages import report as report
    from fastmomentum.plots.pages import stationary as stationary
    from fastmomentum.plots.partings import parting_map as parting_map
    from fastmomentum.plots.partings import ratio_map as ratio_map
    from fastmomentum.plots.path_lines import Paths as Paths
    from fastmomentum.plots.path_lines import legend as legend
    from fastmomentum.plots.path_lines import paths as paths
    from fastmomentum.plots.phases import PhaseMap as PhaseMap
    from fastmomentum.plots.phases import phase_map as phase_map
    from fastmomentum.plots.phases import status_map as status_map
    from fastmomentum.plots.phases import steps_bar as steps_bar
    from fastmomentum.plots.pictures import phase_panels as phase_panels
    from fastmomentum.plots.pictures import save_phase_map as save_phase_map
    from fastmomentum.plots.rates import RateMap as RateMap
    from fastmomentum.plots.rates import rate_bar as rate_bar
    from fastmomentum.plots.rates import rate_map as rate_map
    from fastmomentum.plots.report_parts import Report as Report
    from fastmomentum.plots.run_panels import run_report as run_report
    from fastmomentum.plots.run_race import runs_report as runs_report
    from fastmomentum.plots.runs import Run as Run
    from fastmomentum.plots.runs import run_of as run_of
    from fastmomentum.plots.runs import window as window
    from fastmomentum.plots.scatter import DataAndLine as DataAndLine
    from fastmomentum.plots.scatter import data_and_line as data_and_line
    from fastmomentum.plots.schedule_curves import ScheduleCurve as ScheduleCurve
    from fastmomentum.plots.schedule_curves import schedule_curve as schedule_curve
    from fastmomentum.plots.seed_bands import Bands as Bands
    from fastmomentum.plots.seed_bands import bands as bands
    from fastmomentum.plots.seed_maps import SeedMap as SeedMap
    from fastmomentum.plots.seed_maps import seed_map as seed_map
    from fastmomentum.plots.style import COLOURS as COLOURS
    from fastmomentum.plots.style import DIVERGED as DIVERGED
    from fastmomentum.plots.style import LINES as LINES
    from fastmomentum.plots.style import MARKERS as MARKERS
    from fastmomentum.plots.style import NEVER as NEVER
    from fastmomentum.plots.style import NOT_RUN as NOT_RUN
    from fastmomentum.plots.style import STYLE as STYLE
    from fastmomentum.plots.surfaces import Surface as Surface
    from fastmomentum.plots.surfaces import surface as surface
    from fastmomentum.plots.visible import is_seen as is_seen

_HOMES: Final = {
    "seed_bands": "Bands bands",
    "basin_maps": "BasinMap basin_map shades_bar shades_of",
    "boundaries": "TheoryLines theory_lines",
    "cells": "MOST_CELLS",
    "clouds": "Cloud cloud ellipse",
    "cycle_regions": "CycleRegion cycle_region",
    "duels": "DuelMap duel_bar duel_map",
    "fields": "LOG_DECADES Contours Field Scale colour_bar contour sample",
    "frames": "FrameRenderer thinned",
    "geometry": "Floats Window clip",
    "losses": "LossCurves loss_curves",
    "marks": "Key draw_keys",
    "partings": "parting_map ratio_map",
    "path_lines": "Paths legend paths",
    "phases": "PhaseMap phase_map status_map steps_bar",
    "pictures": "phase_panels save_phase_map",
    "rates": "RateMap rate_bar rate_map",
    "report_parts": "Report",
    "run_panels": "run_report",
    "run_race": "runs_report",
    "runs": "Run run_of window",
    "scatter": "DataAndLine data_and_line",
    "schedule_curves": "ScheduleCurve schedule_curve",
    "seed_maps": "SeedMap seed_map",
    "style": "COLOURS DIVERGED LINES MARKERS NEVER NOT_RUN STYLE",
    "surfaces": "Surface surface",
    "visible": "is_seen",
    "pages": "basins duel loss phase report stationary",
}
"""By module, the names that are public here. A module is loaded when one of them is first used:
each picture needs a few of them, and the pages bring the analysis, and its compiler, along."""

_PUBLIC: Final = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Load what is first used."""
    if name == "pages":
        return importlib.import_module(f"{__name__}.pages")
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), "pages", *_PUBLIC})
