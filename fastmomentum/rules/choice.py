"""The update rule of an experiment: a rule of the registry, with its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field, field_validator, model_serializer, model_validator

from fastmomentum.errors import InputError
from fastmomentum.rules import RULES, Parameter, Rule
from fastmomentum.rules.base import Form
from fastmomentum.rules.modifiers import OPTIONS, OPTIONS_BY_NAME, RESTARTS
from fastmomentum.rules.varying import VaryingRule, form_of, linear
from fastmomentum.specification.base import Specification, plain
from fastmomentum.specification.messages import Fault, faults, no_such_keys
from fastmomentum.specification.numbers import numbers
from fastmomentum.text import shown, suggest


class UpdateRule(Specification):
    """An update rule, by name, with its parameters.

    Parameters
    ----------
    name : str
        One of `fastmomentum.RULES`.
    **parameters : float
        Those of the rule, such as ``dampening`` for "pytorch" or ``beta2`` for "adam"; their
        defaults if left out. Every rule also takes ``weight_decay``, ``decoupled_weight_decay``
        and ``clip``.
    restart : str, optional
        When the velocity is reset to 0: "function", when f rose in an update, or "gradient", when
        the gradient points along the new velocity; for rules with a velocity that are linear in
        the gradient.

    References
    ----------
    O'Donoghue and Candes, "Adaptive restart for accelerated gradient schemes", 2015.

    Examples
    --------
    >>> UpdateRule(name="adam", beta2=0.99).parameters
    (0.99, 1e-08)
    >>> UpdateRule(name="nesterov", clip=1.0, restart="gradient").words
    'nesterov with clip 1, restart by gradient'
    """

    another: ClassVar[str] = "take one of fm.RULES by its name, such as rule='momentum'"
    positional: ClassVar[bool] = True
    model_config = ConfigDict(extra="allow")
    further_keys: ClassVar[tuple[str, ...]] = tuple(
        dict.fromkeys(
            [p.name for rule in RULES.values() for p in rule.parameters]
            + [option.name for option in OPTIONS]
        )
    )
    """Parameters of all rules, and options: those of this rule are checked once it is known."""

    name: str
    restart: str | None = Field(default=None, kw_only=True)
    __pydantic_extra__: dict[str, float | None] = Field(init=False)

    if TYPE_CHECKING:

        def __init__(
            self, *, name: str, restart: str | None = None, **parameters: float | None
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _table(cls, given: Any) -> Any:
        if isinstance(given, Rule):
            if RULES.get(given.name) != given:
                raise ValueError(
                    f"must be a rule of fm.RULES: got another Rule named {given.name!r}; "
                    f"{cls.another}"
                )
            given = given.name
        if isinstance(given, str):
            return {"name": given}
        if isinstance(given, dict):
            unknown = [key for key in given if key not in ("name", "restart", *cls.further_keys)]
            if unknown:
                raise no_such_keys(map(str, unknown))
            numeric = [key for key in given if key not in ("name", "restart")]
            wrong = [key for key in numeric if not _is_number(given[key])]
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
        own = {parameter.name: parameter for parameter in self.settable}
        found = [
            one for name, value in self.given.items() for one in _check(self, own, name, value)
        ]
        found += _check_restart(self)
        if found:
            raise faults(found)
        return self

    @model_serializer(mode="plain")
    def _plain(self) -> dict[str, Any]:
        """Without values equal to their defaults: one form, as two would be two experiments."""
        restart = {} if self.restart is None else {"restart": self.restart}
        return {"name": self.name, **self.said(), **restart}

    def said(self) -> dict[str, float]:
        """Parameters and options that differ from their defaults."""
        given = self.given
        return {
            parameter.name: given[parameter.name] + 0.0
            for parameter in self.settable
            if given.get(parameter.name, parameter.default) != parameter.default
        }

    @staticmethod
    def keys_of(name: str) -> list[str]:
        """Keys that the table of a rule may have."""
        own = RULES[name].parameters
        return ["name", *(parameter.name for parameter in (*own, *OPTIONS)), "restart"]

    @property
    def settable(self) -> tuple[Parameter, ...]:
        """What may be set: the rule's own parameters, then the options of every rule."""
        return (*self.rule.parameters, *OPTIONS)

    @property
    def options(self) -> dict[str, float]:
        """Options of every rule that do something here, in the order of `OPTIONS`."""
        said = self.said()
        return {option.name: said[option.name] for option in OPTIONS if option.name in said}

    @property
    def form(self) -> Form | None:
        """The method it is a form of; None if it is not a linear map, or has options."""
        return form_of(self)

    @property
    def is_linear(self) -> bool:
        """Whether an update on a quadratic is a linear map of point and velocity.

        With weight decay it is, about another fixed point; with clipping or restarts it is not.
        """
        return linear(self)

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
            Parameters that are left out keep their values.

        Raises
        ------
        InputError
            The rule has no such parameter, or a value is out of its range.

        Examples
        --------
        >>> UpdateRule(name="qhm").varying(nu=[0.5, 1.0]).parameters
        (array([0.5, 1. ]),)
        """
        own = {parameter.name: parameter for parameter in self.settable}
        given = {name: numbers(values, name) for name, values in parameters.items()}
        for name, values in given.items():
            if name not in own:
                raise InputError(
                    f"{name} is no parameter of the rule {self.name}; {suggest(name, own)}"
                )
            for value in (float(values.min()), float(values.max())) if values.size else ():
                if not own[name].allows(value):
                    raise InputError(f"{name} must {own[name].range}: got {value!r}")
        pairs = zip((p.name for p in self.rule.parameters), self.parameters, strict=True)
        own_values = tuple(given.get(name, value) for name, value in pairs)
        used = self.options | {name: given[name] for name in given if name in OPTIONS_BY_NAME}
        used = {name: value for name, value in used.items()
                if np.any(value != OPTIONS_BY_NAME[name].default)}  # fmt: skip
        return VaryingRule(self.rule, own_values, used, self.restart)

    @property
    def words(self) -> str:
        """The rule in a few words, for titles.

        Examples
        --------
        >>> UpdateRule(name="pytorch", dampening=0.5).words
        'pytorch with dampening 0.5'
        """
        said = [f"{name} {value:g}" for name, value in self.said().items()]
        if self.restart is not None:
            said.append(f"restart by {self.restart}")
        return self.name + (f" with {', '.join(said)}" if said else "")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Only what was given."""
        yield "name", self.name
        yield from self.said().items()
        if self.restart is not None:
            yield "restart", self.restart

    def __eq__(self, other: object) -> bool:
        """Whether two are the same rule with the same parameters, given or left out."""
        if not isinstance(other, UpdateRule):
            return NotImplemented
        return self._whole == other._whole

    def __hash__(self) -> int:
        """Equal for equal rules."""
        return hash(self._whole)

    @property
    def _whole(self) -> tuple[Any, ...]:
        return self.name, self.parameters, tuple(self.options.items()), self.restart


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
        return [(name, f"must be left out, as the rule {rule.name} has none: got {shown(value)}; "
                 f"drop it, or take the rule {' or '.join(having)}")]  # fmt: skip
    known = UpdateRule.keys_of(rule.name)
    return [(name, f"is no key of the rule {rule.name}; {suggest(name, known)}")]


def _check_restart(rule: UpdateRule) -> list[Fault]:
    """What is wrong with the restart, if anything."""
    given = rule.restart
    if given is None:
        return []
    if given not in RESTARTS:
        return [("restart", f"must be one of {', '.join(RESTARTS)}: got {shown(given)}; "
                 f"{suggest(given, RESTARTS)}")]  # fmt: skip
    if rule.rule.restarts:
        return []
    having = [other.name for other in RULES.values() if other.restarts]
    why = "is not linear in the gradient" if rule.rule.uses_momentum else "has no velocity"
    return [("restart", f"must be left out, as the rule {rule.name} {why}: got {shown(given)}; "
             f"drop it, or take the rule {', '.join(having[:-1])} or {having[-1]}")]  # fmt: skip
