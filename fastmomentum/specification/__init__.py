"""Checked, frozen specifications, and how what is wrong with one is told."""

from __future__ import annotations
