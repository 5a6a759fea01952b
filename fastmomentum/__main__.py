"""``python -m fastmomentum``."""

from fastmomentum.cli import app

app(prog_name="fastmomentum")
