"""From missing blocks to finished results: workers, progress, interruption, repair."""

from __future__ import annotations
