"""A rule's name is asked for in the registry alone: a new rule needs no line elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import fastmomentum as fm

PACKAGE = Path(fm.__file__).parent

HOMES = ("rules", "reference")
"""The registry, and the classes that it is tested against."""

ALLOWED = {
    "explorer/axes.py": (
        {"sgd"},
        "usual windows are counted in gradient descent's largest stable rate, whatever the rule",
    ),
    "explorer/view.py": ({"momentum"}, "the rule that a page begins with"),
    "plots/boundaries.py": ({"momentum"}, "a method of theory"),
    "plots/cycle_regions.py": ({"momentum"}, "a method of theory, and the usual rule"),
    "plots/pages/two_rules.py": (
        {"sgd", "nesterov"},
        "what people call a rule; one that is not there goes by its own name",
    ),
    "schedules/momentum.py": ({"nesterov", "sutskever"}, "kinds of schedules, by their authors"),
    "theory/settings.py": (
        {"sgd", "momentum", "nesterov"},
        "methods of theory, each with closed forms of its own, and the usual rule",
    ),
}
"""Modules that have such a word all the same, and why it is right there."""


def without_docstrings(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.Constant]]:
    """Each text of a module with the node around it."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and not isinstance(node, ast.Expr):
                yield node, child


def asks_for_momentum(around: ast.AST, text: ast.Constant) -> bool:
    """Whether the word, which is a setting as well, stands for the rule."""
    if isinstance(around, ast.Compare):
        other = around.left
        called = isinstance(other, ast.Call) and getattr(other.func, "id", "") == "method"
        return called or getattr(other, "attr", getattr(other, "id", "")) in ("method", "form")
    if isinstance(around, ast.keyword):
        return around.arg in ("name", "rule")
    if isinstance(around, ast.arguments):
        plain = around.args[len(around.args) - len(around.defaults) :]
        both = [*zip(plain, around.defaults, strict=True)]
        both += zip(around.kwonlyargs, around.kw_defaults, strict=True)
        return any(given is text and argument.arg == "rule" for argument, given in both)
    return False


def names_in(tree: ast.Module) -> set[str]:
    """Names of rules that a module asks for."""
    return {
        text.value
        for around, text in without_docstrings(tree)
        if text.value in fm.RULES and (text.value != "momentum" or asks_for_momentum(around, text))
    }


def test_a_rule_is_named_in_the_registry_alone() -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        names = names_in(ast.parse(path.read_text(encoding="utf-8")))
        if names and place.parts[0] not in HOMES:
            found[place.as_posix()] = names
    assert found == {place: names for place, (names, _) in ALLOWED.items()}


def test_such_a_word_is_found() -> None:
    asked = names_in(
        ast.parse(
            '"""adam"""\n'
            'def f(lr, rule="momentum"):\n'
            '    "lion"\n'
            '    return rule.name == "qhm" or UpdateRule(name="momentum") or names["momentum"]\n'
        )
    )
    assert asked == {"momentum", "qhm"}
    assert names_in(ast.parse('dims = ["lr", "momentum"]\nkeys = {"momentum": 0.5}\n')) == set()
