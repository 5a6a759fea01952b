"""Schedules of the momentum: they replace its value, for every run."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from fastmomentum.elementary import select
from fastmomentum.schedules.base import (
    Floats,
    Length,
    Momentum,
    Scheduled,
    Share,
    Steps,
    along_line,
)
from fastmomentum.schedules.lr import check_turn, cycle


def nesterov_at(t: Any) -> Any:
    """``t/(t + 3)``.

    Examples
    --------
    >>> nesterov_at(3.0)
    0.5
    """
    return t / (t + 3.0)


def su_boyd_candes_at(t: Any) -> Any:
    """``max(0, (t - 1)/(t + 2))``.

    Examples
    --------
    >>> float(su_boyd_candes_at(0.0)), float(su_boyd_candes_at(4.0))
    (0.0, 0.5)
    """
    return select(t > 1.0, (t - 1.0) / (t + 2.0), 0.0)


AT: Final = {"nesterov": nesterov_at, "su_boyd_candes": su_boyd_candes_at}
"""Kinds that can restart in the middle of a run, as functions of t that kernels compile too."""


class Nesterov(Scheduled):
    """Rise towards 1 as 1 - 3/t does."""

    kind: Literal["nesterov"] = "nesterov"
    title = "Nesterov's"
    equation = "t/(t + 3)"
    source = "Nesterov 1983, as in Su, Boyd and Candes 2016"

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return np.asarray(nesterov_at(t))


class SuBoydCandes(Scheduled):
    """With the rule sutskever, the iteration of Su, Boyd and Candes to the digit."""

    kind: Literal["su_boyd_candes"] = "su_boyd_candes"
    title = "Su, Boyd and Candes"
    equation = "max(0, (t - 1)/(t + 2))"
    source = "Su, Boyd and Candes 2016"

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return np.asarray(su_boyd_candes_at(t))


class Sutskever(Scheduled):
    """Rise in stairs of 250 updates to a largest momentum."""

    kind: Literal["sutskever"] = "sutskever"
    title = "Sutskever's stairs"
    equation = "min(1 - 0.5/(floor(t/250) + 1), most)"
    source = "Sutskever, Martens, Dahl and Hinton 2013"
    most: Momentum = Field(examples=["0.99"])

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return np.minimum(1.0 - 0.5 / (t // 250 + 1), self.most)


class Demon(Scheduled):
    """Decay so that a gradient's total weight in all later updates falls linearly to 0."""

    kind: Literal["demon"] = "demon"
    title = "decaying momentum"
    equation = "first (1 - t/steps)/((1 - first) + first (1 - t/steps)), then 0"
    source = "Chen, Wolfe, Li and Kyrillidis 2022 (Demon)"
    has_end = True
    first: Momentum = Field(examples=["0.9"])
    steps: Length = Field(examples=["5000"])

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        left = self.first * np.maximum(1.0 - t / self.steps, 0.0)
        return np.asarray(left / ((1.0 - self.first) + left))


class OneCycleMomentum(Scheduled):
    """Fall along a cosine while the learning rate rises, and rise again while it falls."""

    kind: Literal["one_cycle"] = "one_cycle"
    title = "one cycle"
    equation = "cosine from high to low at floor(peak steps), then to high at steps"
    source = "Smith and Topin 2018 (super-convergence); torch.optim.lr_scheduler.OneCycleLR"
    has_end = True
    steps: Length = Field(examples=["5000"])
    peak: Share = 0.3
    high: Momentum = 0.95
    low: Momentum = 0.85

    @model_validator(mode="after")
    def _turns(self) -> Self:
        check_turn(self.peak, self.steps)
        return self

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return cycle(t, self.steps, self.peak, self.high, self.low, self.high)


class LinearMomentum(Scheduled):
    """Change linearly."""

    kind: Literal["linear"] = "linear"
    title = "straight line"
    equation = "first + (last - first) t/steps, then last"
    source = "optax.linear_schedule"
    has_end = True
    first: Momentum = Field(examples=["0.5"])
    last: Momentum = Field(examples=["0.9"])
    steps: Length = Field(examples=["1000"])

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return along_line(self.first, self.last, t, self.steps)
