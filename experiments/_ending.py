"""Imported before anything else by a script, so that Ctrl-C may come at any time."""

from __future__ import annotations

import os

from fastmomentum.cli.exit_status import interrupted_in_a_line, warnings_in_lines

interrupted_in_a_line()
warnings_in_lines()

# Files need no backend, and a window finds its own; of a name that it does not know, such as a
# notebook sets for its commands, matplotlib would end by a traceback.
os.environ.pop("MPLBACKEND", None)
