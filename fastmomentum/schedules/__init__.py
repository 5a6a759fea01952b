"""Schedules: the learning rate or the momentum as a function of the step.

`LR_SCHEDULES` and `MOMENTUM_SCHEDULES` are the registry; a kind carries its title, equation,
source, parameters and values, from which the tables of documentation and tests are made. `Schedule`
is the part of an experiment. Values are computed a stretch of steps at a time, with + - * /,
`fastmomentum.elementary` and decimal arithmetic alone, so every machine gets the same bits.
"""

from fastmomentum.schedules.base import Scheduled as Scheduled
from fastmomentum.schedules.lr import Cosine as Cosine
from fastmomentum.schedules.lr import CosineRestarts as CosineRestarts
from fastmomentum.schedules.lr import Exponential as Exponential
from fastmomentum.schedules.lr import Inverse as Inverse
from fastmomentum.schedules.lr import Linear as Linear
from fastmomentum.schedules.lr import MultiStep as MultiStep
from fastmomentum.schedules.lr import OneCycle as OneCycle
from fastmomentum.schedules.lr import Piecewise as Piecewise
from fastmomentum.schedules.lr import Step as Step
from fastmomentum.schedules.momentum import AT as AT
from fastmomentum.schedules.momentum import Demon as Demon
from fastmomentum.schedules.momentum import LinearMomentum as LinearMomentum
from fastmomentum.schedules.momentum import Nesterov as Nesterov
from fastmomentum.schedules.momentum import OneCycleMomentum as OneCycleMomentum
from fastmomentum.schedules.momentum import SuBoydCandes as SuBoydCandes
from fastmomentum.schedules.momentum import Sutskever as Sutskever
from fastmomentum.schedules.registry import LR_SCHEDULES as LR_SCHEDULES
from fastmomentum.schedules.registry import MOMENTUM_SCHEDULES as MOMENTUM_SCHEDULES
from fastmomentum.schedules.registry import values_of as values_of
from fastmomentum.schedules.schedule import Schedule as Schedule

__all__ = [
    "AT",
    "LR_SCHEDULES",
    "MOMENTUM_SCHEDULES",
    "Cosine",
    "CosineRestarts",
    "Demon",
    "Exponential",
    "Inverse",
    "Linear",
    "LinearMomentum",
    "MultiStep",
    "Nesterov",
    "OneCycle",
    "OneCycleMomentum",
    "Piecewise",
    "Schedule",
    "Scheduled",
    "Step",
    "SuBoydCandes",
    "Sutskever",
    "values_of",
]
