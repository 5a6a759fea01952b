"""The plan of an experiment: grid, recorded steps, stop rules; from Python or TOML."""

from __future__ import annotations
