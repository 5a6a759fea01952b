"""The update rule of an experiment: a rule of the registry, with its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field, field_validator, model_serializer, model_validator

from fastmomentum.errors import InputError
from fastmomentum.rules import RULES, Parameter, Rule
from fastmomentum.specification.base import Specification, plain
from fastmomentum.specification.messages import Fault, faults, no_such_keys
from fastmomentum.specification.numbers import numbers
from fastmomentum.text import shown, suggest


@dataclass(frozen=True)
class VaryingRule:
    """A rule whose parameters differ from cell to cell; from `UpdateRule.varying`.

    Attributes
    ----------
    rule : Rule
        Entry of the registry.
    parameters : tuple of (float or ndarray)
        In the order of the registry; shapes that broadcast with the settings.
    """

    rule: Rule
    parameters: tuple[Any, ...]

    @property
    def name(self) -> str:
        """The rule's."""
        return self.rule.name


class UpdateRule(Specification):
    """An update rule, by name, with its parameters.

    Parameters
    ----------
    name : str
        One of `fastmomentum.RULES`.
    **parameters : float
        Those of the rule, such as ``dampening`` for "pytorch" or ``beta2`` for "adam"; its defaults
        where left out.

    Examples
    --------
    >>> UpdateRule(name="adam", beta2=0.99).parameters
    (0.99, 1e-08)
    """

    another: ClassVar[str] = "take one of fm.RULES by its name, such as rule='momentum'"
    positional: ClassVar[bool] = True
    model_config = ConfigDict(extra="allow")
    further_keys: ClassVar[tuple[str, ...]] = tuple(
        dict.fromkeys(p.name for rule in RULES.values() for p in rule.parameters)
    )
    """Parameters of all rules: which of them a rule has is looked at once its name is known."""

    name: str
    __pydantic_extra__: dict[str, float | None] = Field(init=False)

    if TYPE_CHECKING:

        def __init__(self, *, name: str, **parameters: float | None) -> None: ...

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
        if isinstance(given, str):
            return {"name": given}
        if isinstance(given, dict):
            unknown = [key for key in given if key not in ("name", *cls.further_keys)]
            if unknown:
                raise no_such_keys(map(str, unknown))
            wrong = [key for key in given if key != "name" and not _is_number(given[key])]
            if wrong:
                raise faults([(key, f"must be a number: got {shown(given[key])}") for key in wrong])
        return given

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in RULES:
            raise ValueError(f"must name a rule: got {name!r}; {suggest(name, RULES)}")
        return name

    @model_validator(mode="after")
    def _fitting(self) -> UpdateRule:
        own = {parameter.name: parameter for parameter in self.rule.parameters}
        found = [
            one for name, value in self.given.items() for one in _check(self, own, name, value)
        ]
        if found:
            raise faults(found)
        return self

    @model_serializer(mode="plain")
    def _plain(self) -> dict[str, Any]:
        """Without what has its default: one way to say it, as two would be two experiments."""
        return {"name": self.name, **self.said()}

    def said(self) -> dict[str, float]:
        """Parameters that differ from their defaults."""
        defaults = {parameter.name: parameter.default for parameter in self.rule.parameters}
        return {k: v + 0.0 for k, v in self.given.items() if v != defaults[k]}

    @staticmethod
    def keys_of(name: str) -> list[str]:
        """What the table of a rule of the registry may hold."""
        return ["name", *(parameter.name for parameter in RULES[name].parameters)]

    @property
    def given(self) -> dict[str, float]:
        """Parameters that were given."""
        return {k: v for k, v in (self.__pydantic_extra__ or {}).items() if v is not None}

    @property
    def rule(self) -> Rule:
        """Entry of the registry."""
        return RULES[self.name]

    @property
    def parameters(self) -> tuple[float, ...]:
        """Values of the rule's parameters, in their order in the registry."""
        given = self.given
        return tuple(float(given.get(p.name, p.default)) for p in self.rule.parameters)

    def varying(self, **parameters: ArrayLike) -> VaryingRule:
        """The rule with parameters that differ from cell to cell, for theory.

        Parameters
        ----------
        **parameters : array_like
            By name; shapes that broadcast with the settings.

        Returns
        -------
        VaryingRule
            Those left out stay as they are.

        Raises
        ------
        InputError
            The rule has no such parameter, or a value is out of its range.

        Examples
        --------
        >>> UpdateRule(name="qhm").varying(nu=[0.5, 1.0]).parameters
        (array([0.5, 1. ]),)
        """
        own = {parameter.name: parameter for parameter in self.rule.parameters}
        given = {name: numbers(values, name) for name, values in parameters.items()}
        for name, values in given.items():
            if name not in own:
                raise InputError(
                    f"{name} is no parameter of the rule {self.name}; "
                    + (suggest(name, own) if own else "it has none")
                )
            for value in (float(values.min()), float(values.max())) if values.size else ():
                if not own[name].allows(value):
                    raise InputError(f"{name} must {own[name].range}: got {value!r}")
        pairs = zip(own, self.parameters, strict=True)
        return VaryingRule(self.rule, tuple(given.get(name, value) for name, value in pairs))

    @property
    def words(self) -> str:
        """The rule in a title.

        Examples
        --------
        >>> UpdateRule(name="pytorch", dampening=0.5).words
        'pytorch with dampening 0.5'
        """
        said = [f"{name} {value:g}" for name, value in self.said().items()]
        return self.name + (f" with {', '.join(said)}" if said else "")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What was given, and no more."""
        yield "name", self.name
        yield from self.said().items()

    def __eq__(self, other: object) -> bool:
        """Whether two are the same rule with the same parameters, said or left out."""
        if not isinstance(other, UpdateRule):
            return NotImplemented
        return (self.name, self.parameters) == (other.name, other.parameters)

    def __hash__(self) -> int:
        """Equal for equal rules."""
        return hash((self.name, self.parameters))


def _is_number(value: Any) -> bool:
    if value is None:
        return True  # as left out
    return isinstance(plain(value), int | float) and not isinstance(plain(value), bool)


def _check(rule: UpdateRule, own: dict[str, Parameter], name: str, value: float) -> list[Fault]:
    """What is wrong with a parameter, if anything."""
    if name in own:
        if own[name].allows(value):
            return []
        return [(name, f"must {own[name].range}: got {value!r}")]
    having = [other.name for other in RULES.values() if name in {p.name for p in other.parameters}]
    if having:
        return [(name, f"must be left out, for the rule {rule.name} has none: got {shown(value)}; "
                 f"drop it, or take the rule {' or '.join(having)}")]  # fmt: skip
    known = UpdateRule.keys_of(rule.name)
    return [(name, f"is no key of the rule {rule.name}; {suggest(name, known)}")]
