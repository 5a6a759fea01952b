"""Imported before anything else by a script, so that Ctrl-C may come at any time."""

from __future__ import annotations

from fastmomentum.cli.exit_status import interrupted_in_a_line

interrupted_in_a_line()
