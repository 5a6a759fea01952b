"""Flip every bit of a small finished file, one after the other, and cut it at every byte.

    python tests/crash/every_bit.py [--every N]

Each flip must be refused or found; none may pass, and none may crash the interpreter.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import fastmomentum as fm
from fastmomentum.errors import FileError
from tests.storing import finish, grid_of_runs


def outcome(path: Path) -> str:
    """What becomes of a damaged file."""
    try:
        return "passed" if fm.verify(path).sound else "found"
    except FileError:
        return "refused"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="each so-manieth bit and size only")
    every = parser.parse_args().every
    tally = dict.fromkeys(["refused", "found", "passed"], 0)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.h5"
        finish(path, grid_of_runs())
        data = path.read_bytes()
        with path.open("r+b", buffering=0) as file:
            for number in range(0, 8 * len(data), every):
                place, bit = divmod(number, 8)
                file.seek(place)
                file.write(bytes([data[place] ^ 1 << bit]))
                tally[outcome(path)] += 1
                file.seek(place)
                file.write(data[place : place + 1])
            assert path.read_bytes() == data
            cut = 0
            for size in range(len(data) - 1, -1, -every):
                file.truncate(size)
                assert outcome(path) == "refused", f"cut to {size} bytes it passes"
                cut += 1
    said = ", ".join(f"{number:,} {what}" for what, number in tally.items())
    print(f"{len(data):,} bytes; bits flipped: {said}; sizes cut to: {cut:,}, all refused; "
          f"{time.monotonic() - begun:.0f} s")  # fmt: skip
    return bool(tally["passed"])


if __name__ == "__main__":
    sys.exit(main())
