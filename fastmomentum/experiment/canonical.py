"""The canonical form of an experiment: what affects the runs, and where two differ."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Self

from fastmomentum.errors import InputError
from fastmomentum.specification.base import Specification
from fastmomentum.text import shown


class CanonicalForm(Specification):
    """A specification with a single text for all ways to write it, by which two are compared."""

    def _tree(self) -> dict[str, Any]:
        """What the canonical form holds, as plain data."""
        return self.model_dump(mode="json", exclude_none=True)

    @functools.cached_property
    def canonical(self) -> str:
        """The experiment as JSON with sorted keys; reading it back gives an equal experiment."""
        return json.dumps(self._tree(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @functools.cached_property
    def plan(self) -> dict[str, Any]:
        """What affects the runs, by dotted keys: without title, label and found minimisers.

        Another search may find the same minimisers with different last bits.
        """
        return leaves_of(without_names(json.loads(self.canonical)))

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal digits."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @classmethod
    def from_canonical(cls, text: str) -> Self:
        """Read the canonical form back."""
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"not the canonical form of an experiment: {error}") from None
        objective = tree.get("objective") if isinstance(tree, dict) else None
        if isinstance(objective, dict) and "data" in objective and "statistics" not in objective:
            raise InputError("objective.statistics is missing; data are not read again")
        return cls.parse(tree)

    def difference(self, other: Self) -> str:
        """The first key in which another experiment differs.

        Parameters
        ----------
        other : Experiment
            To compare with.

        Returns
        -------
        str
            The key, its value here and its value there; empty where there is none.

        Examples
        --------
        >>> import fastmomentum as fm
        >>> one = fm.Experiment(objective="booth", rule="sgd", steps=10,
        ...     grid=fm.Grid(lr=0.01, start=[(1, 1)]))
        >>> one.difference(one.model_copy(update={"steps": 20}))
        'steps is 10 and not 20'
        """
        here, there = self.plan, other.plan
        if here == there:
            here, there = (leaves_of(json.loads(one.canonical)) for one in (self, other))
        return first_difference(here, there)


def leaves_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves of a tree, by dotted keys.

    Examples
    --------
    >>> leaves_of({"stop": {"bound": 1.0}, "steps": 5})
    {'stop.bound': 1.0, 'steps': 5}
    """
    return dict(_leaves(tree))


def without_names(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree without what does not affect runs: title, label, and minimisers found by search.

    Another search may find the same minimisers with different last bits.
    """
    objective = {key: value for key, value in tree["objective"].items() if key != "label"}
    if objective.pop("found", False):
        del objective["minimisers"]
    return {key: value for key, value in tree.items() if key != "title"} | {"objective": objective}


def first_difference(here: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    """The first key in which two experiments differ, in words.

    Parameters
    ----------
    here, there : mapping
        Their leaves.

    Returns
    -------
    str
        The key, its value here and its value there; empty where there is none.

    Examples
    --------
    >>> first_difference({"steps": 10}, {"steps": 20})
    'steps is 10 and not 20'
    """
    differing = [key for key in [*here, *there] if here.get(key) != there.get(key)]
    if not differing:
        return ""
    key = min(differing, key=lambda key: not key.endswith("name"))  # a name says the most
    if key.startswith("objective.statistics"):
        return "data differ"
    old, new = (shown(leaves[key]) if key in leaves else "left out" for leaves in (here, there))
    return f"{key.removesuffix('.values')} is {old} and not {new}"


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of a tree."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, value
