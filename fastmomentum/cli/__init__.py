"""The command ``fastmomentum``; the only place that prints."""

from __future__ import annotations

from fastmomentum.cli.commands import app as app
