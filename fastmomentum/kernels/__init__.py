"""The compiled loop over every run of a block. The only package that imports numba."""

from __future__ import annotations
