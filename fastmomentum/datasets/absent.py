"""What stands in a table where a number is missing: blanks, words, a spreadsheet's errors."""

from __future__ import annotations

import re
from typing import Final

WORDS: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "."})
"""Entries that mean a missing number, in lower case."""

ERRORS: Final = frozenset(
    {"#n/a", "#div/0!", "#ref!", "#value!", "#num!", "#name?", "#null!", "#getting_data"}
    # Not available, where a language's word for it has no mark at its end.
    | {"#nv", "#n/d", "#n/b", "#i/t", "#yok", "#hi\u00e1nyzik", "#n/disp", "#\u043d/\u0434"}
    | {"#nen\u00ed_k_dispozici", "#\u03b4/\u03c5"}
)
"""A spreadsheet's errors, in lower case: all of the English ones."""

MARKED: Final = re.compile(r"#[\u00a1\u00bf]?[^\W\d][\w/]*[!?]")
"""The form of an error in any language, in capitals: #BEZUG!, #VALEUR!, #\u00bfNOMBRE?."""

NUMBERED: Final = re.compile(r"(err|error|fehler|erreur|errore|erro) ?:\d{3}", re.IGNORECASE)
"""The form of LibreOffice's other errors: Err:502, Fehler:502."""

TOO_NARROW: Final = re.compile(r"#{3,}")
"""What a spreadsheet writes for a number that its column had no room for."""


def is_error(entry: str) -> bool:
    """Whether an entry that begins with # is a spreadsheet's error.

    Parameters
    ----------
    entry : str
        Without blanks around it.

    Returns
    -------
    bool
        False for the beginning of a comment.

    Examples
    --------
    >>> [is_error(entry) for entry in ("#DIV/0!", "#BEZUG!", "# N/A", "#Note!")]
    [True, True, False, False]
    """
    if entry.lower() in ERRORS:
        return True
    return MARKED.fullmatch(entry) is not None and entry == entry.upper()


def is_missing(entry: str) -> bool:
    """Whether an entry stands for a missing number.

    Parameters
    ----------
    entry : str
        Without blanks around it.

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_missing(entry) for entry in ("", "NA", "#N/A", "Err:502", "abc")]
    [True, True, True, True, False]
    """
    return entry.lower() in WORDS or is_error(entry) or NUMBERED.fullmatch(entry) is not None
