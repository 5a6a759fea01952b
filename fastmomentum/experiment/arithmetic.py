"""Whether results that are there have the bits that would be computed for them now.

An objective's functions may come to be written otherwise, with the same meaning and other last
digits. Its class counts that, and a file says with which count it was made.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Final

from fastmomentum.errors import FastmomentumWarning
from fastmomentum.experiment.plan import Experiment

NAME: Final = "arithmetic"
"""The attribute of a file; those of version 0.1 have none, which means 1."""


def other_arithmetic(experiment: Experiment, attributes: Mapping[str, object]) -> str | None:
    """What made results, where it gives other digits than what would make them now.

    Parameters
    ----------
    experiment : Experiment
        Their plan.
    attributes : mapping
        What they say of themselves.

    Returns
    -------
    str or None
        A clause for a message; None where the digits are the same.
    """
    if attributes.get(NAME, 1) == experiment.objective.arithmetic:
        return None
    version = str(attributes.get("fastmomentum_version", ""))
    made = f"fastmomentum {version}" if version.replace(".", "").isalnum() else "another version"
    return f"made with {made}, whose {experiment.objective.name} has other last digits"


def warn_of_other(experiment: Experiment, attributes: Mapping[str, object]) -> None:
    """Warn where runs that are computed again will not match the results to the last digit.

    Parameters
    ----------
    experiment : Experiment
        The plan of the results.
    attributes : mapping
        What they say of themselves.
    """
    other = other_arithmetic(experiment, attributes)
    if other is not None:
        warnings.warn(
            f"these results were {other}: what is computed again for them differs a little, and "
            "where paths are chaotic, much; run the experiment again to have all from one version",
            FastmomentumWarning,
            stacklevel=3,
        )
