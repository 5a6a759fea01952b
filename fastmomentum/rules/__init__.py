"""How an objective is descended: the update rules and their registry."""

from __future__ import annotations
