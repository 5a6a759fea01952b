"""Measure how far the paths of PyTorch, optax and Keras lie from ours, for every rule they have.

    python experiments/compare_rules.py [--readme README.md]

Each goes 400 updates down Rosenbrock's function in float64, with its own optimiser and its own
gradients; ours is the kernel. A figure is the largest difference of a coordinate at any step, as a
part of the path's largest coordinate. They come with an extra: see compare_frameworks.py.
"""

from __future__ import annotations

import _ending  # noqa: F401  (its import sets how the script ends)

import argparse
import importlib.metadata
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from _rule_walks import APART, WALKERS, WALKS, RuleWalk

import fastmomentum as fm
from fastmomentum.cli.exit_status import script
from fastmomentum.errors import InputError

MARKS: Final = "<!-- parity -->", "<!-- /parity -->"
VERSIONS: Final = {"PyTorch": "torch", "optax": "optax", "Keras": "keras"}


def main(words: Sequence[str]) -> None:
    """Walk, print the table, and put it where it belongs."""
    reading = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reading.add_argument("--readme", type=Path, metavar="FILE", help="write the table into it")
    asked = reading.parse_args(words)
    missing = sorted({module for walk in WALKS for module in walk.missing})
    if missing:
        raise InputError(
            f'not installed: {", ".join(missing)}; pip install "fastmomentum[frameworks]" (see '
            "compare_frameworks.py --help for small builds)"
        )
    made = table()
    print(made)
    if asked.readme is not None:
        put_into(asked.readme, made)
        print(f"wrote {asked.readme}")


def table() -> str:
    """The table in Markdown, and what walked."""
    known = list(fm.RULES)
    walks = sorted((*WALKS, *APART), key=lambda w: (" with " in w.name, known.index(w.rule)))
    head = ["rule", *WALKERS, "where definitions differ"]
    lines = [head, ["---"] * len(head)]
    for name in dict.fromkeys(walk.name for walk in walks):
        cells = {w.framework: figure(w) for w in WALKS if w.name == name}
        said: dict[str, list[str]] = {}
        for w in WALKS:
            if w.name == name and w.said:
                said.setdefault(w.said, []).append(w.framework)
        for w in APART:
            if w.name == name:
                said.setdefault(f"as it comes {figure(w)}, {w.said}", []).append(w.framework)
        notes = "; ".join(f"{', '.join(having)}: {words}" for words, having in said.items())
        lines.append([in_code(name), *(cells.get(f, "") for f in WALKERS), notes])
    rows = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    versions = ", ".join(
        f"{framework} {importlib.metadata.version(package)}"
        for framework, package in VERSIONS.items()
    )
    return f"{rows}\n\n{versions}."


def figure(walk: RuleWalk) -> str:
    """The largest difference."""
    found = walk.difference()
    return f"{found:.0e}" if found else "0"


def in_code(name: str) -> str:
    """A rule's name with its options, each as code."""
    return re.sub(r"\w+", lambda word: word[0] if word[0] == "with" else f"`{word[0]}`", name)


def put_into(readme: Path, text: str) -> None:
    """Replace what stands between the marks of a file."""
    old = readme.read_text(encoding="utf-8")
    if not all(old.count(mark) == 1 for mark in MARKS):
        raise InputError(f"{readme}: needs the marks {' and '.join(MARKS)}, each once")
    before, _, rest = old.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    readme.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    script(main)
