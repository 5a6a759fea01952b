"""Schedules of the learning rate: a factor on each run's own rate."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from fastmomentum.elementary import exp, log, sqrt
from fastmomentum.schedules.base import (
    Factor,
    Floats,
    Length,
    Scheduled,
    Share,
    Steps,
    along_cosine,
    along_line,
    falling,
)
from fastmomentum.schedules.powers import power
from fastmomentum.specification.base import Whole
from fastmomentum.specification.messages import fault
from fastmomentum.text import shown

Positive = Annotated[float, Field(gt=0.0)]
At = Annotated[tuple[Length, ...], Field(examples=["[1000, 2000]"])]


class Listed(Scheduled):
    """A schedule that changes at given steps."""

    at: At

    @field_validator("at", mode="before")
    @classmethod
    def _as_tuple(cls, given: Any) -> Any:
        return tuple(given) if isinstance(given, list) else given

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.at:
            raise fault("at", "must have a step at least: got []")
        if any(later <= earlier for earlier, later in zip(self.at, self.at[1:], strict=False)):
            raise fault("at", f"must rise from entry to entry: got {shown(self.at)}")
        return self

    def passed(self, t: Steps) -> Steps:
        """Number of entries up to a step."""
        return np.searchsorted(np.asarray(self.at, np.int64), t, side="right")


class Step(Scheduled):
    """Multiply by `factor` after every `every` updates."""

    kind: Literal["step"] = "step"
    title = "steps"
    equation = "factor^floor(t/every)"
    source = "torch.optim.lr_scheduler.StepLR"
    factor: Positive = Field(examples=["0.1"])
    every: Length = Field(examples=["1000"])

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return power(self.factor, t // self.every)


class MultiStep(Listed):
    """Multiply by `factor` at given steps."""

    kind: Literal["multistep"] = "multistep"
    title = "steps at given times"
    equation = "factor^(number of entries of at <= t)"
    source = "torch.optim.lr_scheduler.MultiStepLR"
    factor: Positive = Field(examples=["0.1"])

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return power(self.factor, self.passed(t))


class Exponential(Scheduled):
    """Multiply by `factor` per `every` updates, an equal part of it at each update."""

    kind: Literal["exponential"] = "exponential"
    title = "exponential decay"
    equation = "factor^(t/every)"
    source = "torch.optim.lr_scheduler.ExponentialLR, optax.exponential_decay"
    factor: Positive = Field(examples=["0.5"])
    every: Length = 1

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return power(self.factor, t, root=self.every)


class Inverse(Scheduled):
    """Fall as a power of the step, which stochastic gradients need to converge."""

    kind: Literal["inverse"] = "inverse"
    title = "inverse power"
    equation = "(1 + rate t)^-power"
    source = "Robbins and Monro 1951; Bottou 2012, Stochastic gradient descent tricks"
    rate: Annotated[float, Field(ge=0.0)] = Field(examples=["0.01"])
    power: Annotated[float, Field(ge=0.0)] = 1.0

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        grown = 1.0 + self.rate * t
        if self.power == 1.0:
            return np.asarray(1.0 / grown, np.float64)
        if self.power == 0.5:
            return np.asarray(1.0 / sqrt(grown))
        return np.asarray(exp(-self.power * log(grown)))


class Linear(Scheduled):
    """Change linearly: a warm-up, for example."""

    kind: Literal["linear"] = "linear"
    title = "straight line"
    equation = "first + (last - first) t/steps, then last"
    source = "torch.optim.lr_scheduler.LinearLR, optax.linear_schedule"
    has_end = True
    first: Factor = Field(examples=["0.01"])
    last: Factor = Field(examples=["1.0"])
    steps: Length = Field(examples=["1000"])

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return along_line(self.first, self.last, t, self.steps)


class Cosine(Scheduled):
    """Fall along half a period of the cosine."""

    kind: Literal["cosine"] = "cosine"
    title = "cosine"
    equation = "final + (1 - final)(1 + cos(pi t/steps))/2, then final"
    source = "Loshchilov and Hutter 2017 (SGDR); optax.cosine_decay_schedule"
    has_end = True
    steps: Length = Field(examples=["5000"])
    final: Factor = 0.0

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return along_cosine(1.0, self.final, t, self.steps)


class CosineRestarts(Scheduled):
    """Fall along half a period of the cosine, again and again; it never ends."""

    kind: Literal["cosine_restarts"] = "cosine_restarts"
    title = "cosine with warm restarts"
    equation = "cosine, begun again after steps, steps growth, steps growth^2, ... updates"
    source = (
        "Loshchilov and Hutter 2017 (SGDR); torch.optim.lr_scheduler.CosineAnnealingWarmRestarts"
    )
    steps: Length = Field(examples=["1000"])
    growth: Annotated[Whole, Field(ge=1, le=1000)] = 1
    final: Factor = 0.0

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        begins, lengths = [0], [self.steps]
        last = int(t.max(initial=0))
        while self.growth > 1 and begins[-1] + lengths[-1] <= last:
            begins.append(begins[-1] + lengths[-1])
            lengths.append(lengths[-1] * self.growth)
        period = np.searchsorted(begins, t, side="right") - 1
        length = np.asarray(lengths, np.int64)[period]
        done = (t - np.asarray(begins, np.int64)[period]) % length
        return self.final + (1.0 - self.final) * falling(done, length)


LEAST: Final = 1e-4
"""Default of `last`, as a part of the first factor."""


class OneCycle(Scheduled):
    """Rise along a cosine, then fall along another to almost 0."""

    kind: Literal["one_cycle"] = "one_cycle"
    title = "one cycle"
    equation = "cosine from first to 1 at floor(peak steps), then to last at steps"
    source = "Smith and Topin 2018 (super-convergence); optax.cosine_onecycle_schedule"
    has_end = True
    steps: Length = Field(examples=["5000"])
    peak: Share = 0.3
    first: Factor = 1.0 / 25.0
    last: Factor | None = None

    @model_validator(mode="after")
    def _turns(self) -> Self:
        check_turn(self.peak, self.steps)
        return self

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        last = self.first * LEAST if self.last is None else self.last
        return cycle(t, self.steps, self.peak, self.first, 1.0, last)


class Piecewise(Listed):
    """Take the factor of the last step passed; 1 before the first."""

    kind: Literal["piecewise"] = "piecewise"
    title = "piecewise constant"
    equation = "the entry of factors for the last entry of at <= t, 1 before"
    source = "tf.keras.optimizers.schedules.PiecewiseConstantDecay"
    factors: tuple[Factor, ...] = Field(examples=["[0.1, 0.01]"])

    @field_validator("factors", mode="before")
    @classmethod
    def _tuple(cls, given: Any) -> Any:
        return tuple(given) if isinstance(given, list) else given

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len(self.factors) != len(self.at):
            raise fault(
                "factors",
                f"must have an entry for each of the {len(self.at)} of at: got {len(self.factors)}",
            )
        return self

    def values(self, t: Steps) -> Floats:
        """Values at the given steps."""
        return np.asarray([1.0, *self.factors])[self.passed(t)]


def check_turn(peak: float, steps: int) -> None:
    """Refuse a cycle whose peak comes before its first update."""
    if int(peak * steps) < 1:
        raise fault(
            "peak",
            f"must leave an update before the turn, peak*steps >= 1: got {peak!r} of {steps} steps",
        )


def cycle(t: Steps, steps: int, peak: float, first: float, middle: float, last: float) -> Floats:
    """Half a period of the cosine from `first` to `middle`, then one from there to `last`."""
    turn = int(peak * steps)
    rising = along_cosine(first, middle, t, turn)
    return np.where(t < turn, rising, along_cosine(middle, last, t - turn, steps - turn))
