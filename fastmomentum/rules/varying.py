"""Rules whose parameters differ from cell to cell, and what they share with other rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from fastmomentum.rules.base import Form, Rule


class Chosen(Protocol):
    """A rule with its parameters: numbers, or arrays where they vary."""

    @property
    def rule(self) -> Rule:
        """Entry of the registry."""

    @property
    def parameters(self) -> tuple[Any, ...]:
        """In the order of the registry."""

    @property
    def options(self) -> dict[str, Any]:
        """Options of every rule that do something, by name."""

    @property
    def restart(self) -> str | None:
        """When the velocity is reset to 0, if ever."""


def form_of(chosen: Chosen) -> Form | None:
    """The method that a rule is a form of; None if it is not a linear map, or has options."""
    form = chosen.rule.form
    if form is None or chosen.options or chosen.restart is not None:
        return None
    return form.at(chosen.parameters)


def linear(chosen: Chosen) -> bool:
    """Whether an update on a quadratic is a linear map of point and velocity."""
    restarted = chosen.restart is not None
    return chosen.rule.form is not None and not restarted and "clip" not in chosen.options


@dataclass(frozen=True)
class VaryingRule:
    """A rule whose parameters differ from cell to cell; from `UpdateRule.varying`.

    Attributes
    ----------
    rule : Rule
        Entry of the registry.
    parameters : tuple of (float or ndarray)
        In the order of the registry; shapes that broadcast with the settings.
    options : dict
        Options of every rule that do something, by name: floats or ndarrays too.
    restart : str, optional
        As for `UpdateRule`.
    """

    rule: Rule
    parameters: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    restart: str | None = None

    @property
    def name(self) -> str:
        """The rule's."""
        return self.rule.name

    @property
    def words(self) -> str:
        """The rule in a message."""
        used = [*self.options, *(["restart"] if self.restart is not None else [])]
        return self.name + (f" with {', '.join(used)}" if used else "")

    @property
    def form(self) -> Form | None:
        """The method that the rule is a form of; see `UpdateRule.form`."""
        return form_of(self)

    @property
    def is_linear(self) -> bool:
        """Whether an update on a quadratic is a linear map; see `UpdateRule.is_linear`."""
        return linear(self)
