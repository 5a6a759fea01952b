"""What is to be run: the grid, what is recorded, when a run stops; from Python or TOML."""

from __future__ import annotations
