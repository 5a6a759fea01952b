"""Checked, frozen specifications, and readable messages for what is wrong with one."""

from __future__ import annotations
