"""An experiment's canonical form as a tree: what affects the runs, and where two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastmomentum.text import shown


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
