"""Functions to minimise. A new objective needs a class, and its line in `AnyObjective`."""

from __future__ import annotations

from typing import Annotated, Any, Final, get_args

from pydantic import BeforeValidator, Field

from fastmomentum.objectives.base import OWN_FUNCTION as OWN_FUNCTION
from fastmomentum.objectives.base import Box as Box
from fastmomentum.objectives.base import Constants as Constants
from fastmomentum.objectives.base import Functions as Functions
from fastmomentum.objectives.base import Objective as Objective
from fastmomentum.objectives.base import require_objective as require_objective
from fastmomentum.objectives.classic import Beale as Beale
from fastmomentum.objectives.classic import GoldsteinPrice as GoldsteinPrice
from fastmomentum.objectives.classic import Himmelblau as Himmelblau
from fastmomentum.objectives.classic import Rosenbrock as Rosenbrock
from fastmomentum.objectives.classic import StyblinskiTang as StyblinskiTang
from fastmomentum.objectives.classic import ThreeHumpCamel as ThreeHumpCamel
from fastmomentum.objectives.formula import Formula as Formula
from fastmomentum.objectives.multimodal import Ackley as Ackley
from fastmomentum.objectives.multimodal import Levi13 as Levi13
from fastmomentum.objectives.multimodal import Rastrigin as Rastrigin
from fastmomentum.objectives.piecewise import HeavyBallCycle as HeavyBallCycle
from fastmomentum.objectives.polygon import PolygonCycle as PolygonCycle
from fastmomentum.objectives.quadratics import Booth as Booth
from fastmomentum.objectives.quadratics import Matyas as Matyas
from fastmomentum.objectives.quadratics import Quadratic as Quadratic
from fastmomentum.objectives.regression import MSE as MSE
from fastmomentum.objectives.saddles import MonkeySaddle as MonkeySaddle
from fastmomentum.objectives.saddles import Saddle as Saddle
from fastmomentum.objectives.statistics import Statistics as Statistics
from fastmomentum.objectives.tracing import objective as objective


def _table(given: Any) -> Any:
    """Turn what may stand for an objective, such as a name, into a table or an objective."""
    if isinstance(given, type):
        name = given.__name__
        raise ValueError(f"must be an objective: got the class {name}; write {name}(...)")
    if isinstance(given, Objective) and type(given) is not OBJECTIVES.get(given.name):
        kind = type(given).__name__
        raise ValueError(f"must be one of fm.OBJECTIVES: got the class {kind}; {OWN_FUNCTION}")
    if callable(given) and not isinstance(given, Objective):
        name = getattr(given, "__name__", type(given).__name__)
        raise ValueError(f"must be an objective: got the function {name}; {OWN_FUNCTION}")
    if isinstance(given, dict) and "formula" in given:
        return {"name": "formula", **given}  # the key alone says what it is
    return {"name": given} if isinstance(given, str) else given


AnyObjective = Annotated[
    MSE
    | Rosenbrock
    | Quadratic
    | Beale
    | Booth
    | Himmelblau
    | Matyas
    | ThreeHumpCamel
    | StyblinskiTang
    | GoldsteinPrice
    | Rastrigin
    | Ackley
    | Levi13
    | Saddle
    | MonkeySaddle
    | HeavyBallCycle
    | PolygonCycle
    | Formula,
    Field(discriminator="name"),
    BeforeValidator(_table),
]
"""The type of a field that holds an objective: pydantic picks the class by its name."""

OBJECTIVES: Final[dict[str, type[Objective]]] = {
    objective.model_fields["name"].default: objective
    for objective in get_args(get_args(AnyObjective)[0])
}
"""Every objective by its name in an experiment file."""
