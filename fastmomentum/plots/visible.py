"""Whether something lies within a picture: a legend names nothing else."""

from __future__ import annotations

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.path import Path

from fastmomentum.plots.arguments import LINE, takes


@takes(line=LINE)
def is_seen(line: Line2D) -> bool:
    """Whether a line, or one of its marks, lies within the limits of its axes.

    Parameters
    ----------
    line : Line2D
        Drawn, on axes whose limits are set.

    Returns
    -------
    bool
        False also for a line of no axes, or of no finite points. In three dimensions, where lines
        are cut at the window before they are drawn, whether there is a point at all.

    Raises
    ------
    InputError
        It is no line.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot(xlim=(0, 1), ylim=(0, 1))
    >>> is_seen(ax.plot([-1, 2], [0.4, 0.6])[0]), is_seen(ax.plot([-1, 2], [4, 6])[0])
    (True, False)
    >>> is_seen(ax.plot([-1, 2], [0.4, 0.6], linestyle="none", marker="o")[0])
    False
    >>> is_seen(ax.plot([-1, np.nan, 2], [0.4, np.nan, 0.6])[0])  # a gap is no line
    False
    """
    ax = line.axes
    if ax is None or not line.get_visible():
        return False
    if ax.name == "3d":
        data: tuple[object, ...] = line.get_data_3d()  # type: ignore[attr-defined]  # a Line3D
        return bool(np.isfinite(np.array(data, float)).all(axis=0).any())
    ax.get_xlim(), ax.get_ylim()  # limits that were left to matplotlib are found only now
    with np.errstate(over="ignore", invalid="ignore"):
        path = line.get_transform().transform_path(line.get_path())
    places = np.asarray(path.vertices)
    if line.get_linestyle() != "None" and len(places) > 1:
        gaps = np.flatnonzero(~np.isfinite(places).all(axis=1))
        across = bool(path.intersects_bbox(ax.bbox, filled=False))  # as if there were no gaps
        if not across or not gaps.size:
            return across
        return any(
            bool(Path(piece).intersects_bbox(ax.bbox, filled=False))
            for piece in np.split(places, np.union1d(gaps, gaps + 1))
            if len(piece) and np.isfinite(piece).all()
        )
    box = ax.bbox.padded(1e-6)  # of a pixel: a mark may lie on the edge
    low, high = np.array(box.extents).reshape(2, 2)
    return bool(((places >= low) & (places <= high)).all(axis=1).any())
