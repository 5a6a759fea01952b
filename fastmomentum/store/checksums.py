"""Checksums of bytes: XXH3, which is faster than any disk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import xxhash


def of_block(block: int, parts: Iterable[Any]) -> int:
    """XXH3-64 of a block's number and bytes.

    Parameters
    ----------
    block : int
        Its number, so that a block in another's place is detected.
    parts : iterable of buffers
        Its bytes.

    Returns
    -------
    int
        64 bits.
    """
    digest = xxhash.xxh3_64(block.to_bytes(8, "little"))
    for part in parts:
        digest.update(part)
    return digest.intdigest()


def small(data: bytes) -> bytes:
    """XXH3-64 as eight bytes, little-endian."""
    return xxhash.xxh3_64_intdigest(data).to_bytes(8, "little")


def wide(parts: Iterable[Any]) -> str:
    """XXH3-128 in hexadecimal digits.

    Examples
    --------
    >>> wide([b"learning", b"rate"]) == wide([b"learningrate"])
    True
    """
    digest = xxhash.xxh3_128()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
