"""Fonts that have all letters of a picture, in any script."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, FontPath, FontProperties
from matplotlib.text import Text

from fastmomentum.errors import FontWarning
from fastmomentum.machine import system_name
from fastmomentum.notices import warn
from fastmomentum.text import printable

LAST: Final = "DejaVu Sans"
"""Comes with matplotlib, and has all the signs, arrows and exponents that we write."""

NO_LETTERS: Final = "Last Resort"
"""Comes with matplotlib, and has a frame with the letter's number for each letter there is."""

STANDS_IN: Final = "\N{WHITE SQUARE}"
"""Drawn in place of a letter that no font has: matplotlib would warn of it at each drawing."""

MOST_SHOWN: Final = 12
"""Most letters that a message names."""

SIGNS: Final = {"-": "\N{MINUS SIGN}", r"\times": "\N{MULTIPLICATION SIGN}"}
"""By what is written in a formula: what is drawn."""

ASIAN: Final = {
    "HANGUL": ("Noto Sans CJK KR", "Malgun Gothic", "Apple SD Gothic Neo"),
    "HIRAGANA": ("Noto Sans CJK JP", "Yu Gothic", "Hiragino Sans"),
    "KATAKANA": ("Noto Sans CJK JP", "Yu Gothic", "Hiragino Sans"),
    "CJK": ("Noto Sans CJK SC", "Microsoft YaHei", "Hiragino Sans GB"),
    "BOPOMOFO": ("Noto Sans CJK TC", "Microsoft JhengHei", "Heiti TC"),
}
"""By the first word of a letter's Unicode name: fonts that have it, free, of Windows, of macOS."""

OF_LINUX: Final = "Debian and Ubuntu: the package fonts-noto-cjk"
"""Where the first of them are."""


def families(wanted: Sequence[str]) -> list[str]:
    """Keep the families that are installed, and put one last that has every sign.

    Parameters
    ----------
    wanted : sequence of str
        Of a style, the best first.

    Returns
    -------
    list of str
        At least one.

    Warns
    -----
    FontWarning
        None of those wanted is installed.

    Examples
    --------
    >>> families(["DejaVu Serif"])
    ['DejaVu Serif', 'DejaVu Sans']
    """
    paths = {family: _path(FontProperties(family=[family])) for family in [*wanted, LAST]}
    there = [family for family in wanted if paths[family] is not None]
    if not there:
        named = " or ".join(printable(family) for family in wanted)
        warn(f"the style's font {named} is not installed; {LAST} is drawn instead", FontWarning)
    has_all = any(paths[family] == paths[LAST] for family in there)
    return there if has_all else [*there, LAST]


def give_fonts(figure: Figure) -> None:
    """Give each text of a figure fonts that have its letters, from all that are installed.

    Parameters
    ----------
    figure : Figure
        Complete. A letter that no font has becomes a square.

    Warns
    -----
    FontWarning
        Once for the figure, if no installed font has some letters.

    Examples
    --------
    >>> figure = Figure()
    >>> title = figure.suptitle("Momentum")
    >>> give_fonts(figure)
    >>> title.get_fontfamily() == FontProperties().get_family()
    True
    """
    _give_ticks_signs(figure)
    lacking = {text: letters for text in figure.findobj(Text) if (letters := _missing(text))}
    if not lacking:
        return
    wanted = set().union(*lacking.values())
    found = _found(wanted)
    for text, letters in lacking.items():
        own = list(text.get_fontfamily())
        more = [family for family, has in found.items() if has & letters]
        text.set_fontfamily([*more, *own] if _is_formula(text) else [*own, *more])
    left = wanted.difference(*found.values())
    for text, letters in lacking.items():
        gone = {ord(c): "" if _silent(c) else STANDS_IN for c in letters & left}
        text.set_text(text.get_text().translate(gone))
    if told := sorted(c for c in left if not _silent(c)):
        shown = "".join(told[:MOST_SHOWN]) + (" ..." if len(told) > MOST_SHOWN else "")
        warn(f"no installed font has {printable(shown)}: {_advice(told)}", FontWarning)


def _missing(text: Text) -> set[str]:
    """Letters of a text that none of its fonts has."""
    said, own = text.get_text(), text.get_fontfamily()
    letters = {c for c in said if not c.isascii() and not c.isspace()}
    if _is_formula(text):  # of which matplotlib looks at the first family alone
        letters |= {sign for written, sign in SIGNS.items() if written in said}
        own = own[:1]
    for family in own if letters else ():
        one = text.get_fontproperties().copy()
        one.set_family([family])
        path = _path(one)
        letters -= _covered(path, letters) if path is not None else set()
    return letters


def _is_formula(text: Text) -> bool:
    return "$" in text.get_text() and text.get_parse_math()


def _give_ticks_signs(figure: Figure) -> None:
    """Give tick labels, which are written later, a font that has their signs."""
    own = FontProperties().get_family()
    path = _path(FontProperties(family=own[:1]))
    signs = set(SIGNS.values())
    if path is not None and _covered(path, signs) == signs:
        return
    for ax in figure.axes:
        for axis in ax._axis_map.values():
            axis.set_tick_params(which="both", labelfontfamily=[LAST, *own])


def _path(properties: FontProperties) -> Any:
    try:
        return font_manager.findfont(properties, fallback_to_default=False)
    except ValueError:
        return None


def _covered(path: Any, letters: Iterable[str]) -> set[str]:
    """Letters that a font file has; none where it cannot be read, as colour fonts cannot."""
    try:
        font = font_manager.get_font(path)
    except (OSError, RuntimeError):
        return set()
    return {c for c in letters if font.get_char_index(ord(c))}


def _found(wanted: set[str]) -> dict[str, set[str]]:
    """Families that have the letters between them, each with those of them that it has."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known:  # installed since matplotlib made its list
            try:
                font_manager.fontManager.addfont(path)
            except (OSError, RuntimeError):
                continue
    first = {name for kind in _kinds(wanted) for name in ASIAN.get(kind, ())}
    regular: dict[str, FontEntry] = {}
    for entry in sorted(font_manager.fontManager.ttflist, key=_plainness):
        if not entry.name.startswith(NO_LETTERS):
            regular.setdefault(entry.name, entry)
    found: dict[str, set[str]] = {}
    left = set(wanted)
    order = sorted(regular.values(), key=lambda entry: _taste(entry, first))
    has = {}
    for entry in order:
        has[entry.name] = _covered(FontPath(entry.fname, entry.index), left)
        if has[entry.name] == left:
            return {entry.name: left}
    while left:  # the first of those that have the most
        best = max(has, key=lambda name: len(has[name] & left), default=None)
        if best is None or not has[best] & left:
            break
        found[best] = has[best] & left
        left -= has[best]
    return found


def _plainness(entry: FontEntry) -> tuple[bool, int]:
    weight = entry.weight if isinstance(entry.weight, int) else 400
    return entry.style != "normal", abs(weight - 400)


def _taste(entry: FontEntry, first: set[str]) -> tuple[bool, bool, bool, str]:
    plain = "Sans" in entry.name and "Mono" not in entry.name
    return entry.name != LAST, entry.name not in first, not plain, entry.name


def _kinds(letters: Iterable[str]) -> list[str]:
    """First words of the letters' names, which say the script; Hangul and kana before Chinese."""
    there = {unicodedata.name(c, "OTHER").split()[0].split("-")[0] for c in letters}
    return [kind for kind in ASIAN if kind in there] + sorted(there - set(ASIAN))


def _advice(letters: Sequence[str]) -> str:
    kind = _kinds(letters)[0]
    if kind in ASIAN:
        free, *own = ASIAN[kind]
        system = system_name()
        if system in (systems := ("Windows", "macOS")):
            name = own[systems.index(system)]
            return f"install {name}, which comes with {system}, or another that has"
        where = f" ({OF_LINUX})" if system == "Linux" else ""
        return f"install {free}{where}, or another that has"
    if unicodedata.category(letters[0])[0] == "L":
        return f"install Noto Sans {kind.title()}, or another font that has"
    return "install a font that has, or leave it out"


def _silent(letter: str) -> bool:
    """Whether a character is invisible, such as a direction mark or a variation selector."""
    return unicodedata.category(letter) in ("Cf", "Cc") or "\ufe00" <= letter <= "\ufe0f"
