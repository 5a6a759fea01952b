"""The results file: laid out, written block by block, resumed, checked. Nothing done is lost."""

from __future__ import annotations
