"""Write the README's tables of rules and objectives from their registries.

    python experiments/docs.py [--check]

Each table stands between two comments, ``<!-- NAME -->`` and ``<!-- /NAME -->``. With --check
nothing is written: the exit status is 1 where a table is not what the registries say.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import fastmomentum as fm
from fastmomentum.rules.modifiers import OPTIONS, RESTARTS

README = Path(__file__).parents[1] / "README.md"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def rules() -> str:
    """Name, equation and source of each rule."""
    named = ((f"`{rule.name}`", f"`{rule.equation}`", rule.source) for rule in fm.RULES.values())
    return table(("rule", "equation", "source"), named)


def parameters() -> str:
    """Parameters of the rules, with their defaults and ranges."""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for rule in fm.RULES.values():
        for p in rule.parameters:
            row = p.name, p.meaning, f"{p.default:g}", p.range.removeprefix("lie ")
            rows.setdefault(row, []).append(f"`{rule.name}`")
    said = ((f"`rule.{name}`", ", ".join(having), *rest) for (name, *rest), having in rows.items())
    return table(("key", "of", "what it is", "left out", "may"), said)


def options() -> str:
    """Options of every rule, with what they do where they are left out."""
    said = [
        (
            f"`rule.{one.name}`",
            one.meaning,
            "none" if math.isinf(one.default) else f"{one.default:g}",
            one.range,
        )
        for one in OPTIONS
    ]
    ways = " or ".join(f'`"{name}"` ({when})' for name, when in RESTARTS.items())
    restart = "`rule.restart`", "when the velocity is set to 0, of a rule that has one"
    return table(
        ("key", "what it is", "left out", "may"), [*said, (*restart, "never", f"be {ways}")]
    )


def objectives() -> str:
    """Objectives, with the keys of their constants."""
    said = []
    for name, kind in fm.OBJECTIVES.items():
        if name in ("mse", "formula"):
            continue
        constants = ", ".join(field for field in kind.model_fields if field != "name")
        said.append(f"`{name}`" + (f" ({constants})" if constants else ""))
    return f"Objectives: {', '.join(said)}; `formula` and `mse` besides."


TABLES = {"rules": rules, "parameters": parameters, "options": options, "objectives": objectives}


def main(words: list[str]) -> int:
    """Write or check the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    check = parser.parse_args(words).check
    before = text = README.read_text(encoding="utf-8")
    for name, made in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.S)
        if not pattern.search(text):
            print(f"{README.name} has no place for {name}: <!-- {name} --> and <!-- /{name} -->")
            return 1
        text = pattern.sub(lambda found, made=made: found[1] + made() + found[2], text)
    if text == before:
        return 0
    if check:
        print(f"{README.name} is not what the registries say; run make docs")
        return 1
    README.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
