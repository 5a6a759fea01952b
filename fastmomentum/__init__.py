"""Batch experiments with momentum gradient descent on objectives of two parameters.

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fastmomentum import analysis as analysis
    from fastmomentum import datasets as datasets
    from fastmomentum import plots as plots
    from fastmomentum import reference as reference
    from fastmomentum import results as results
    from fastmomentum import theory as theory
    from fastmomentum.axis import Axis as Axis
    from fastmomentum.errors import ClusterError as ClusterError
    from fastmomentum.errors import FastmomentumError as FastmomentumError
    from fastmomentum.errors import FastmomentumWarning as FastmomentumWarning
    from fastmomentum.errors import FileError as FileError
    from fastmomentum.errors import InputError as InputError
    from fastmomentum.errors import Interrupted as Interrupted
    from fastmomentum.errors import OutsideGridWarning as OutsideGridWarning
    from fastmomentum.errors import StorageError as StorageError
    from fastmomentum.experiment import Experiment as Experiment
    from fastmomentum.grid import Grid as Grid
    from fastmomentum.loading import load as load
    from fastmomentum.objectives import MSE as MSE
    from fastmomentum.objectives import OBJECTIVES as OBJECTIVES
    from fastmomentum.objectives import Ackley as Ackley
    from fastmomentum.objectives import Beale as Beale
    from fastmomentum.objectives import Booth as Booth
    from fastmomentum.objectives import GoldsteinPrice as GoldsteinPrice
    from fastmomentum.objectives import HeavyBallCycle as HeavyBallCycle
    from fastmomentum.objectives import Himmelblau as Himmelblau
    from fastmomentum.objectives import Levi13 as Levi13
    from fastmomentum.objectives import Matyas as Matyas
    from fastmomentum.objectives import MonkeySaddle as MonkeySaddle
    from fastmomentum.objectives import Quadratic as Quadratic
    from fastmomentum.objectives import Rastrigin as Rastrigin
    from fastmomentum.objectives import Rosenbrock as Rosenbrock
    from fastmomentum.objectives import Saddle as Saddle
    from fastmomentum.objectives import StyblinskiTang as StyblinskiTang
    from fastmomentum.objectives import ThreeHumpCamel as ThreeHumpCamel
    from fastmomentum.places import Mesh as Mesh
    from fastmomentum.protocol import Record as Record
    from fastmomentum.protocol import Stop as Stop
    from fastmomentum.replaying import replay as replay
    from fastmomentum.results import experiment_of as experiment_of
    from fastmomentum.results import open_results as open  # noqa: A004  (always fm.open)
    from fastmomentum.rules import RULES as RULES
    from fastmomentum.runner import run as run
    from fastmomentum.selecting import select_cell as select_cell
    from fastmomentum.selecting import select_velocity as select_velocity
    from fastmomentum.status import Status as Status
    from fastmomentum.update_rule import UpdateRule as UpdateRule
    from fastmomentum.verification import verify as verify

_HOME: Final = {
    "axis": ["Axis"],
    "errors": [
        "ClusterError", "FastmomentumError", "FastmomentumWarning", "FileError", "InputError",
        "Interrupted", "OutsideGridWarning", "StorageError",
    ],
    "experiment": ["Experiment"],
    "grid": ["Grid"],
    "loading": ["load"],
    "objectives": [
        "MSE", "OBJECTIVES", "Ackley", "Beale", "Booth", "GoldsteinPrice", "HeavyBallCycle",
        "Himmelblau", "Levi13", "Matyas", "MonkeySaddle", "Quadratic", "Rastrigin", "Rosenbrock",
        "Saddle", "StyblinskiTang", "ThreeHumpCamel",
    ],
    "places": ["Mesh"],
    "protocol": ["Record", "Stop"],
    "replaying": ["replay"],
    "results": ["experiment_of", "open_results"],
    "rules": ["RULES"],
    "runner": ["run"],
    "selecting": ["select_cell", "select_velocity"],
    "status": ["Status"],
    "update_rule": ["UpdateRule"],
    "verification": ["verify"],
}  # fmt: skip
_MODULES: Final = ("analysis", "datasets", "plots", "reference", "results", "theory")
_PLACES: Final = {name: home for home, names in _HOME.items() for name in names}

__all__ = [*_MODULES, *(name for name in _PLACES if name != "open_results"), "open"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"fastmomentum.{name}")
    found = "open_results" if name == "open" else name
    if found not in _PLACES:
        raise AttributeError(f"module 'fastmomentum' has no attribute {name!r}")
    return getattr(importlib.import_module(f"fastmomentum.{_PLACES[found]}"), found)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
