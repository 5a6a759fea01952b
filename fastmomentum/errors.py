"""The exceptions that the library raises; the command turns each into its exit status."""

from __future__ import annotations


class FastmomentumError(Exception):
    """Base class of everything that fastmomentum refuses or fails to do.

    The message is one or a few plain lines: what was expected, what came, what to do.
    """

    exit_status = 1


class InputError(FastmomentumError, ValueError):
    """An experiment, a data file or an argument that makes no sense."""

    exit_status = 2


class FileError(FastmomentumError):
    """A results file that is damaged, or that fastmomentum did not write."""

    exit_status = 3


class StorageError(FastmomentumError, OSError):
    """No space, no permission, a failing disk, or a second writer."""

    exit_status = 4


class ClusterError(FastmomentumError):
    """A cluster that cannot be reached, was lost, or has workers that cannot do a run."""

    exit_status = 4


class Interrupted(FastmomentumError, KeyboardInterrupt):  # noqa: N818  (not an error)
    """The run was stopped by the user; what is done is kept where there is a file."""

    exit_status = 130


class FastmomentumWarning(UserWarning):
    """Something is done differently from what was requested; commands print it as one line."""


class OutsideGridWarning(FastmomentumWarning):
    """A requested value lies outside the grid's range; the nearest one is used."""


class CacheWarning(FastmomentumWarning):
    """Compiled kernels cannot be cached on disk, or a cache entry is damaged; the run continues."""


class FontWarning(FastmomentumWarning):
    """A picture has characters that no installed font has, or a style's font is not installed."""


class MissingRowsWarning(FastmomentumWarning):
    """Rows of a data file lack a number and are left out, as requested."""
