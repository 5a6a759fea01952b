"""Whether existing results have the bits that would be computed for them now.

An objective's functions may be rewritten with the same meaning but different last digits. Its class
has a number that is raised then, and a file stores the number it was made with.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Final

from fastmomentum.errors import FastmomentumWarning
from fastmomentum.experiment.plan import Experiment

NAME: Final = "arithmetic"
"""The attribute of a file; files of version 0.1 lack it, which means 1."""


def other_arithmetic(experiment: Experiment, attributes: Mapping[str, object]) -> str | None:
    """The version that made results, if its last digits differ from those computed now.

    Parameters
    ----------
    experiment : Experiment
        Their plan.
    attributes : mapping
        Their attributes.

    Returns
    -------
    str or None
        A clause for a message; None where the digits are the same.
    """
    if attributes.get(NAME, 1) == experiment.objective.arithmetic:
        return None
    version = str(attributes.get("fastmomentum_version", ""))
    made = f"fastmomentum {version}" if version.replace(".", "").isalnum() else "another version"
    return f"made with {made}, whose {experiment.objective.name} differs in the last digits"


def warn_of_other(experiment: Experiment, attributes: Mapping[str, object]) -> None:
    """Warn where runs that are computed again will not match the results to the last digit.

    Parameters
    ----------
    experiment : Experiment
        The plan of the results.
    attributes : mapping
        Their attributes.
    """
    other = other_arithmetic(experiment, attributes)
    if other is not None:
        warnings.warn(
            f"these results were {other}: what is computed again for them differs a little, and "
            "where paths are chaotic, much; run the experiment again to have all from one version",
            FastmomentumWarning,
            stacklevel=3,
        )
