"""Arrays whose values are read from a results file when they are needed."""

from __future__ import annotations

import itertools
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.schema import Variable
from fastmomentum.store import files
from fastmomentum.store.block_file import BlockFile

DENSE: Final = 1 / 8
"""Fraction of a stretch that must be needed for the stretch to be read whole."""
SPARSE_AT_ONCE: Final = 2**16
DENSE_AT_ONCE: Final = 2**23
"""Bytes that are read at once: below the first, another read would cost more."""
STRAIGHT: Final = 2**16
"""From this many bytes on, contiguous values are read into their place without a copy."""
PLACES_AHEAD: Final = 1024
BYTES_AHEAD: Final = 2**25
"""Bytes that the system is told to read ahead before we wait for the first of them."""


class StoredArray:
    """A variable of a results file, read piece by piece with ordinary file reads.

    Parameters
    ----------
    sink : BlockFile
        The file, open for reading.
    variable : Variable
        Which of its variables.
    done : ndarray of bool, optional
        Which blocks are done. If given, runs of other blocks are NaN and integers are floats,
        except `status`, which is 0 there (not run).
    """

    def __init__(
        self, sink: BlockFile, variable: Variable, done: NDArray[np.bool_] | None = None
    ) -> None:
        self.shape = variable.shape
        self.stored = np.dtype(variable.dtype)
        self._sink, self._offset, self._done = sink, sink.offsets[variable.name], done
        masked = done is not None and variable.name != "status" and self.stored.kind != "f"
        self.dtype = np.dtype(float) if masked else self.stored.newbyteorder("=")

    def read(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Values at an index or a slice of each dimension."""
        ranges = [
            range(n)[k] if isinstance(k, slice) else range(int(k) % n, int(k) % n + 1)
            for n, k in zip(self.shape, key, strict=True)
        ]
        if not all(ranges):
            return np.empty(
                [len(r) for r, k in zip(ranges, key, strict=True) if isinstance(k, slice)],
                self.dtype,
            )
        flipped = tuple(slice(None, None, -1) if r.step < 0 else slice(None) for r in ranges)
        ranges = [r if r.step > 0 else r[::-1] for r in ranges]
        values = self._ascending(ranges)[flipped]
        if self._done is not None:
            back = [r[::-1] if f.step else r for r, f in zip(ranges, flipped, strict=True)]
            values = self._masked(values, back)
        return values[tuple(slice(None) if isinstance(k, slice) else 0 for k in key)]

    def _ascending(self, ranges: list[range]) -> NDArray[Any]:
        """Values at the product of some ranges with positive steps."""
        counts = tuple(len(r) for r in ranges)
        values = np.empty(counts, self.dtype)
        item = self.stored.itemsize
        strides = [item * math.prod(self.shape[i + 1 :]) for i in range(len(self.shape))]
        # The innermost dimensions whose stretch is read in one piece; the others are looped over.
        split, stretch, wanted = len(ranges), item, item
        for i in reversed(range(len(ranges))):
            longer = stretch + (len(ranges[i]) - 1) * ranges[i].step * strides[i]
            wanted *= len(ranges[i])
            if longer > (DENSE_AT_ONCE if wanted >= DENSE * longer else SPARSE_AT_ONCE):
                break
            split, stretch = i, longer
        inner = tuple(r.step * s for r, s in zip(ranges[split:], strides[split:], strict=True))
        base = self._offset + sum(r[0] * s for r, s in zip(ranges, strides, strict=True))
        dense = stretch == item * math.prod(counts[split:])
        straight = dense and self.dtype == self.stored and stretch >= STRAIGHT
        buffer = memoryview(bytearray(0 if straight else stretch))
        view = None if straight else np.ndarray(counts[split:], self.stored, buffer, 0, inner)
        outer = [(range(len(r)), r.step * s) for r, s in zip(ranges[:split], strides, strict=False)]
        file = self._sink.file  # held, as another thread may close the data set meanwhile
        where = file.descriptor
        places = itertools.product(*(steps for steps, _ in outer))
        ahead = max(1, min(PLACES_AHEAD, BYTES_AHEAD // stretch))
        with files.in_words(f"reading {self._sink.path}"), files.scattered(where):
            while batch := list(itertools.islice(places, ahead)):
                offsets = [
                    base + sum(k * stride for k, (_, stride) in zip(place, outer, strict=True))
                    for place in batch
                ]
                for offset in offsets if len(batch) > 1 else ():
                    files.announce(where, stretch, offset)
                for place, offset in zip(batch, offsets, strict=True):
                    if straight:
                        buffer = values[place].reshape(-1).view(np.uint8).data
                    files.read_into(where, buffer, offset)
                    if view is not None:
                        values[place] = view
        return values

    def _masked(self, values: NDArray[Any], ranges: list[range]) -> NDArray[Any]:
        assert self._done is not None
        grid = self._sink.experiment.grid.shape
        run = np.zeros((), np.int64)
        for i, n in enumerate(grid):
            place = np.arange(ranges[i].start, ranges[i].stop, ranges[i].step)
            run = run[..., None] * n + place
        missing = ~self._done[run // self._sink.blocks.block_runs]
        values[missing] = 0 if self.stored.kind == "u" else np.nan
        return values
