"""How an objective is descended: the update rules, by name.

A rule is a pure function for one coordinate and its entry in the table of its family; kernel,
reference, command, tests, benchmarks and documentation find it here.
"""

from __future__ import annotations

from typing import Final

from fastmomentum.rules import adaptive, momentum
from fastmomentum.rules.base import Parameter as Parameter
from fastmomentum.rules.base import Rule as Rule

RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in (*momentum.RULES, *adaptive.RULES)}
"""Every rule by its name in an experiment file."""
