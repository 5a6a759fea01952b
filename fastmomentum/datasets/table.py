"""A data file, with the options that are needed to read it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from fastmomentum.datasets.reading import Column, load_csv
from fastmomentum.specification.base import Specification


class Table(Specification):
    """A table in a text file, and how it is written; see `load_csv` for what is detected.

    Parameters
    ----------
    file : str
        Path, relative to the experiment file (in Python: to the working directory).
    delimiter, decimal, thousands, encoding : str, optional
        As for `load_csv`.
    header : bool
        Whether the first line names the columns.
    missing : {"drop"}, optional
        Leave out rows that lack a number.

    Examples
    --------
    >>> Table(file="points.txt", delimiter=";", header=False).delimiter
    ';'
    """

    file: str = Field(examples=['file = "points.csv"'])
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    header: bool = True
    encoding: str | None = None
    missing: Literal["drop"] | None = None

    def read(self, folder: str | Path, x: str | int, y: str | int) -> tuple[Column, Column]:
        """Read two columns; a path is relative to `folder`.

        Returns
        -------
        x, y : ndarray, shape (n_rows,)
            Finite numbers.

        Raises
        ------
        InputError
            As for `load_csv`.
        """
        return load_csv(
            Path(folder, self.file).absolute(),
            x,
            y,
            delimiter=self.delimiter,
            decimal=self.decimal,
            thousands=self.thousands,
            header=self.header,
            encoding=self.encoding,
            missing=self.missing,
        )
