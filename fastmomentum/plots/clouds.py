"""Where runs of many seeds end, and the ellipse that theory predicts."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import AXES, takes
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import COLOURS, STAR, ink, is_dark
from fastmomentum.specification.numbers import number, numbers

SHARES: Final = (0.5, 0.95)
"""Share of a Gaussian cloud that lies within each ellipse."""

MOST_DOTS: Final = 20_000
"""Most points that are drawn; of more, every k-th."""


class Cloud(NamedTuple):
    """Artists of `cloud`."""

    dots: PathCollection
    theory: list[Line2D]
    measured: list[Line2D]
    centre: Line2D | None

    @property
    def handles(self) -> list[Any]:
        """Handles for a legend."""
        centre = [] if self.centre is None else [self.centre]
        return [self.dots, *self.measured[-1:], *self.theory[-1:], *centre]


def ellipse(covariance: ArrayLike, share: float, centre: ArrayLike = (0.0, 0.0)) -> Floats:
    """The line within which a share of a Gaussian cloud lies.

    Parameters
    ----------
    covariance : array_like, shape (2, 2)
        Symmetric, without negative eigenvalue.
    share : float
        Between 0 and 1.
    centre : array_like, shape (2,)
        Of the cloud.

    Returns
    -------
    ndarray, shape (2, n)
        Closed.

    Raises
    ------
    InputError
        The share makes no sense, or an argument has another shape.

    Examples
    --------
    >>> line = ellipse(np.eye(2), share=0.5)
    >>> bool(np.allclose(np.hypot(*line) ** 2, -2 * np.log(0.5)))
    True
    """
    share, spread = number(share, "share"), numbers(covariance, "covariance")
    if not 0.0 < share < 1.0:
        raise InputError(f"share must lie between 0 and 1: got {share!r}")
    middle = numbers(centre, "centre")
    for name, found, shape in (("covariance", spread, (2, 2)), ("centre", middle, (2,))):
        if found.shape != shape:
            raise InputError(f"{name} must have the shape {shape}: got {found.shape}")
    size, axes = np.linalg.eigh(spread)
    turns = np.linspace(0.0, 2.0 * np.pi, 241)
    circle = np.sqrt(-2.0 * np.log1p(-share)) * np.stack([np.cos(turns), np.sin(turns)])
    line = axes @ (np.sqrt(np.maximum(size, 0.0))[:, np.newaxis] * circle)
    return np.asarray(line + middle[:, np.newaxis])


def cloud_colours(ground: Any) -> tuple[str, str]:
    """Colours of points with their own ellipses, and of theory's ellipses, on a background."""
    return COLOURS[1 if is_dark(ground) else 5], ink(ground)


@takes(ax=AXES)
def cloud(
    ax: Axes,
    points: ArrayLike,
    covariance: ArrayLike | None = None,
    centre: ArrayLike | None = None,
) -> Cloud:
    """Draw points, the ellipses of their own covariance, and those of a predicted covariance.

    Parameters
    ----------
    ax : Axes
        Gets limits too.
    points : array_like, shape (n, 2)
        Finite; two at least.
    covariance : array_like, shape (2, 2), optional
        What theory says.
    centre : array_like, shape (2,), optional
        The minimiser, marked by a star, about which theory's ellipses lie; without, the mean of the
        points.

    Returns
    -------
    Cloud
        ``dots``, ``measured`` and ``theory`` (an ellipse for half of the points and for 95%), and
        the ``centre``.

    Raises
    ------
    InputError
        There are no two finite points.
    """
    found = numbers(points, "points")
    if found.ndim != 2 or found.shape[1] != 2 or len(found) < 2:
        raise InputError(f"points must have the shape (n, 2), n at least 2: got {found.shape}")
    few = found[:: -(-len(found) // MOST_DOTS)]
    blue, line_colour = cloud_colours(ax.get_facecolor())
    alpha = float(np.clip(300.0 / len(few), 0.04, 0.6))
    area = float(np.clip(3000.0 / len(few), 6.0, 30.0))
    dots = ax.scatter(
        few[:, 0], few[:, 1], s=area, color=blue, alpha=alpha, linewidth=0, rasterized=True,
        label=f"last points of {len(found):,} seeds",
    )  # fmt: skip
    own = np.cov(found.T)
    measured, theory = [], []
    for share in SHARES:
        line = ellipse(own, share, found.mean(axis=0))
        label = "their covariance: 50% and 95%"
        measured.append(ax.plot(*line, color=blue, linewidth=1.8, label=label)[0])
    star = None
    if centre is not None:
        star = ax.plot(*np.asarray(centre, float), **(STAR | {"label": "minimum"}))[0]
    if covariance is not None:
        for share in SHARES:
            line = ellipse(covariance, share, found.mean(axis=0) if centre is None else centre)
            style: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 1.8}
            label = "theory: 50% and 95%"
            drawn = ax.plot(*line, color=line_colour, **style, label=label, zorder=4)
            theory += drawn
    return Cloud(dots, theory, measured, star)
