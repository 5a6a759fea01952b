"""How numbers are written: decimal comma or point, thousands separators."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from fastmomentum.datasets.absent import TOO_NARROW
from fastmomentum.errors import InputError

GROUPED: Final = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
"""Commas between thousands; a leading 0 is not grouped, as in 0,125."""

POINTED: Final = re.compile(r"[+\u2212-]?[1-9]\d{0,2}\.\d{3}")
"""A point that may stand between thousands, or before three decimals."""

POINTS: Final = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d*")
MANY_POINTS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3}){2,}")
BLANKS: Final = re.compile(r"[+-]?\d{1,3}(?:([ '\u2019\u00a0\u202f])\d{3})(?:\1\d{3})*([.,]\d*)?")
SIGNS: Final = re.compile(
    r"[$\u20ac\u00a3\u00a5] ?[+-]?[\d.,]+|[+-]?[\d.,]+ ?[%$\u20ac\u00a3\u00a5]"
)
DATES: Final = re.compile(r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}.*")


def advice(text: str) -> str:
    """Advice about text that is not a number; empty where none is known.

    Examples
    --------
    >>> advice("1.234,5")
    'say decimal = "," and thousands = "."'
    """
    if TOO_NARROW.fullmatch(text):
        return "its column was too narrow in the spreadsheet: widen it there, and save again"
    if DATES.fullmatch(text):
        return "a date is none; add a column that counts, such as months since the first"
    if SIGNS.fullmatch(text):
        return "take the sign out of the column"
    if POINTS.fullmatch(text):
        return 'say decimal = "," and thousands = "."'
    if MANY_POINTS.fullmatch(text):
        return 'say thousands = "."'
    if found := BLANKS.fullmatch(text):
        decimal = 'decimal = "," and ' if (found[2] or "").startswith(",") else ""
        return f'say {decimal}thousands = "{found[1]}"'
    return ""


@dataclass
class Figures:
    """How numbers are written in one file; what is not given is inferred while reading."""

    decimal: str | None = None
    thousands: str | None = None
    comma: bool = False
    points: str = ""
    commas: str = ""
    doubtful: str = ""
    certain: bool = False
    pointed: str = ""
    has_decimals: bool = False
    _groups: re.Pattern[str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, decimal: str | None, thousands: str | None) -> Self:
        """Check the given marks, and refuse those that no number is written with.

        Beside points between thousands the decimal mark is a comma, unless another is given.
        """
        for key, mark in (("decimal", decimal), ("thousands", thousands)):
            if mark is not None and (mark.isalnum() or mark in "+-_"):
                raise InputError(f"{key} must be a mark such as '.' or ',': got {mark!r}")
        if thousands == ".":
            decimal = decimal or ","
        if thousands is not None and thousands == (decimal or "."):
            raise InputError(f"decimal and thousands must differ: got {thousands!r} twice")
        groups = None
        if thousands is not None:
            t, d = re.escape(thousands), re.escape(decimal or ".")
            groups = re.compile(rf"[+-]?\d{{1,3}}({t}\d{{3}})+({d}\d*)?")
        return cls(decimal, thousands, _groups=groups)

    def beside(self, delimiter: str) -> Self:
        """Begin a file with this delimiter: only with semicolons is a comma a decimal comma."""
        return replace(self, comma=delimiter == ";")

    def is_number(self, text: str) -> bool:
        """Whether text reads as a number; infers nothing from it."""
        try:
            replace(self).number(text.strip())
        except ValueError:
            return False
        return True

    def see(self, *texts: str) -> None:
        """Note numbers with a point, which settle what a comma means, or are themselves in doubt.

        Parameters
        ----------
        *texts : str
            Numbers.
        """
        if self.has_decimals or self.decimal is not None or self.thousands is not None:
            return
        for text in texts:
            if "." in text and "," not in text:
                text = text.strip()
                self.points, self.certain = self.points or text, True
                if POINTED.fullmatch(text):
                    self.pointed = self.pointed or text
                else:
                    self.has_decimals = True

    def number(self, text: str) -> float:
        """Read a number; the text of a ValueError says what to do, or is empty."""
        text = text.replace("\N{MINUS SIGN}", "-")
        if self.decimal is not None or self.thousands is not None:
            if self._groups is not None and self._groups.fullmatch(text):
                text = text.replace(str(self.thousands), "")
            if self.decimal not in (None, "."):
                if "." in text:
                    grouped = POINTED.fullmatch(text) and self.thousands is None
                    raise ValueError('say thousands = "."' if grouped else "")
                text = text.replace(str(self.decimal), ".")
            return _finite(text)
        if "," not in text:
            return _finite(text)
        if self.comma:
            number = _finite(text.replace(",", ".") if "." not in text else text)
            self.commas = text
            return number
        if not GROUPED.fullmatch(text):
            raise ValueError('correct or drop the line, or say decimal = ","')
        if text.count(",") > 1 or "." in text:
            self.certain = True
        else:
            self.doubtful = text
        return _finite(text.replace(",", ""))

    def check(self, path: Path) -> None:
        """Refuse a file whose numbers are ambiguous."""
        if self.commas and self.points:
            raise InputError(
                f"{path} has numbers with a comma and with a point, {self.commas[:40]!r} and "
                f'{self.points[:40]!r}; say decimal = "," or ".", and thousands'
            )
        if self.doubtful and not self.certain:
            raise InputError(
                f"{path}: {self.doubtful!r} may have a decimal comma or thousands; "
                'say decimal = "," or thousands = ","'
            )
        if self.comma and self.pointed and not self.has_decimals:
            raise InputError(
                f"{path}: beside semicolons {self.pointed!r} may have a decimal point or "
                'thousands; say decimal = "." or thousands = "."'
            )


def _finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("") from None
    if not math.isfinite(number) or "_" in text:  # Python reads 1_000 as a number
        raise ValueError("")
    return number
