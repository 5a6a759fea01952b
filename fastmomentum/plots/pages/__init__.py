"""Whole figures: functions that take results and give a Figure, for notebooks and commands."""

from __future__ import annotations

from fastmomentum.plots.pages.maps import phase as phase
from fastmomentum.plots.pages.page import Page as Page
from fastmomentum.plots.pages.panels import report as report
from fastmomentum.plots.pages.paths import contour as contour
from fastmomentum.plots.pages.paths import surface as surface
from fastmomentum.plots.pages.progress import loss as loss
from fastmomentum.plots.pages.schedules import schedule as schedule
from fastmomentum.plots.pages.starts import basins as basins
from fastmomentum.plots.pages.two_rules import duel as duel
