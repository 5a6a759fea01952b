"""The update rule of an experiment: a rule of the registry, with its constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator, model_validator

from fastmomentum.rules.updates import RULES, Rule
from fastmomentum.specification.base import Specification
from fastmomentum.specification.messages import fault
from fastmomentum.text import suggest


class UpdateRule(Specification):
    """An update rule, by name.

    Parameters
    ----------
    name : str
        One of `fastmomentum.RULES`.
    dampening : float, optional
        For "pytorch": the part of the gradient, in [0, 1), that is left away from the second
        update on; 0 where left out.

    Examples
    --------
    >>> UpdateRule(name="pytorch", dampening=0.5).constant
    0.5
    """

    another: ClassVar[str] = "take one of fm.RULES by its name, such as rule='momentum'"
    positional: ClassVar[bool] = True

    name: str
    dampening: float | None = None

    if TYPE_CHECKING:

        def __init__(self, *, name: str, dampening: float | None = None) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _table(cls, given: Any) -> Any:
        if isinstance(given, Rule):
            if RULES.get(given.name) != given:
                raise ValueError(
                    f"must be a rule of fm.RULES: got another Rule of the name {given.name!r}; "
                    f"{cls.another}"
                )
            given = given.name
        return {"name": given} if isinstance(given, str) else given

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in RULES:
            raise ValueError(f"must name a rule: got {name!r}; {suggest(name, RULES)}")
        return name

    @field_validator("dampening")
    @classmethod
    def _leaves_something(cls, dampening: float | None) -> float | None:
        if dampening is not None and not 0 <= dampening < 1:
            raise ValueError(f"must lie in [0, 1): got {dampening!r}")
        return dampening or None  # one way to say 0, as two would be two experiments

    @model_validator(mode="after")
    def _fitting(self) -> UpdateRule:
        if self.dampening is not None and not self.rule.uses_dampening:
            raise fault(
                "dampening",
                f"must be left out, for the rule {self.name} has none: got {self.dampening!r}; "
                "drop it, or take the rule pytorch",
            )
        return self

    @property
    def rule(self) -> Rule:
        """Entry of the registry."""
        return RULES[self.name]

    @property
    def constant(self) -> float:
        """The dampening from the second update on, as `Rule.update` takes it."""
        return self.dampening or 0.0

    @property
    def words(self) -> str:
        """The rule in a title.

        Examples
        --------
        >>> UpdateRule(name="pytorch", dampening=0.5).words
        'pytorch with dampening 0.5'
        """
        return self.name + (f" with dampening {self.dampening:g}" if self.dampening else "")
