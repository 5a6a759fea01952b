"""Print the lowest versions that pyproject.toml allows, as constraints for pip.

``make lowest`` installs them and runs the suite: a bound that is too low fails there, not at a
user's. What our requirements bring along by themselves is left to pip, and so is as new as for
everyone else.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
EXTRAS = ("dask", "dev")


def lowest(text: str) -> str | None:
    """Pin a requirement to its lower bound; None where it does not apply here.

    Examples
    --------
    >>> lowest("numpy>=1.26,<3")
    'numpy==1.26'
    """
    wanted = Requirement(text)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return None
    bounds = [one.version for one in wanted.specifier if one.operator in (">=", "==", "~=")]
    if len(bounds) != 1:
        raise ValueError(
            f"pyproject.toml: {text!r} must have one lower bound, such as {wanted.name}>=1.0"
        )
    return f"{wanted.name}=={bounds[0]}"


def pins(project: Path = PROJECT) -> Iterator[str]:
    """Pin all that the package and its tests ask for."""
    table = tomllib.loads(project.read_text())["project"]
    extras = table["optional-dependencies"]
    for text in [*table["dependencies"], *(text for name in EXTRAS for text in extras[name])]:
        pin = lowest(text)
        if pin is not None:
            yield pin


if __name__ == "__main__":
    try:
        print("\n".join(dict.fromkeys(pins())))
    except ValueError as error:
        sys.exit(str(error))
