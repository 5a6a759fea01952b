"""Data for linear regression: drawn around a line, or read from a table in a text file."""

from fastmomentum.datasets.noisy_line import MOST_POINTS, NoisyLine, noisy_line
from fastmomentum.datasets.reading import Column, load_csv
from fastmomentum.datasets.table import Table

__all__ = ["MOST_POINTS", "Column", "NoisyLine", "Table", "load_csv", "noisy_line"]
