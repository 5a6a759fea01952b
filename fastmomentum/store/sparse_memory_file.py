"""A file in memory, in which the HDF5 library makes its structures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final


class SparseMemoryFile:
    """A file in memory for HDF5's structures; pages that are never written take no memory.

    Attributes
    ----------
    size : int
        Its bytes.

    Examples
    --------
    >>> sheet = SparseMemoryFile()
    >>> _ = sheet.seek(10_000)
    >>> sheet.write(b"abc")
    3
    >>> sheet.size, [offset for offset, _ in sheet.pages()]
    (10003, [8192])
    """

    PAGE: Final = 4096

    def __init__(self) -> None:
        self.size = self._position = 0
        self._pages: dict[int, bytearray] = {}

    def pages(self) -> Iterator[tuple[int, bytes]]:
        """What was written: offsets and bytes."""
        for number in sorted(self._pages):
            offset = number * self.PAGE
            yield offset, bytes(self._pages[number][: self.size - offset])

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset."""
        self._position = offset + (self.size if whence == os.SEEK_END else 0)
        return self._position

    def tell(self) -> int:
        """The current position."""
        return self._position

    def truncate(self, size: int) -> int:
        """Set the size."""
        self.size = size
        self._pages = {n: page for n, page in self._pages.items() if n * self.PAGE < size}
        return size

    def flush(self) -> None:
        """Nothing is buffered."""

    def write(self, data: bytes | memoryview) -> int:
        """Write at the position."""
        view = memoryview(data).cast("B")
        for page, here, there in self._parts(len(view)):
            self._pages.setdefault(page, bytearray(self.PAGE))[here] = view[there]
        self.size = max(self.size, self._position)
        return len(view)

    def read(self, size: int) -> bytes:
        """Read bytes from the position."""
        data = bytearray(size)
        self.readinto(memoryview(data))
        return bytes(data)

    def readinto(self, buffer: memoryview) -> int:
        """Read from the position; what was never written is zeros."""
        view = memoryview(buffer).cast("B")
        for page, here, there in self._parts(len(view)):
            view[there] = self._pages.get(page, bytes(self.PAGE))[here]
        return len(view)

    def _parts(self, length: int) -> Iterator[tuple[int, slice, slice]]:
        """Pages from the position on, with the matching slices of the page and of the buffer."""
        done = 0
        while done < length:
            page, start = divmod(self._position, self.PAGE)
            count = min(self.PAGE - start, length - done)
            yield page, slice(start, start + count), slice(done, done + count)
            done += count
            self._position += count
