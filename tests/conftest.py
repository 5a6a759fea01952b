"""Shared by all tests: Hypothesis prints how to repeat a failure and runs without a clock."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("suite", deadline=None, print_blob=True)
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
