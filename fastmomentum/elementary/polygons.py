"""Regular polygons around the origin: the nearest point of one, without computing an angle.

A regular polygon is symmetric about the lines through its corners and the middles of its edges. So
a point is rotated until a corner lies on the x axis, and mirrored until it is in the half sector
between that corner and the middle of the next edge. Only one edge and one corner remain to check
there. Each mirror halves the number of sectors: six are enough for 64 corners.

A polygon is a tuple of numbers, of `PLACES` entries: cosine and sine of its first corner's angle,
cosine and sine of half the angle between two corners, the distance of an edge, half its length, and
cosine and sine of each mirror's angle; a mirror that is not needed has zeros.
"""

from __future__ import annotations

from typing import Any, Final

from fastmomentum.elementary.bits import select, sqrt
from fastmomentum.elementary.turns import cos_turns, sin_turns

MOST_CORNERS: Final = 64
"""Most corners that six mirrors fold into one half sector."""

PLACES: Final = 18
"""Numbers that describe a polygon."""


def regular_polygon(corners: int, x: float, y: float) -> tuple[float, ...]:
    """Numbers of the regular polygon around the origin with a corner at (x, y).

    Parameters
    ----------
    corners : int
        From 2, a segment, to `MOST_CORNERS`.
    x, y : float
        A corner. At the origin, the polygon is that point.

    Returns
    -------
    tuple of float, length `PLACES`
        Argument of `offset`, `squared_distance` and `bend`.

    Examples
    --------
    >>> square = regular_polygon(4, 1.0, 0.0)
    >>> round(float(squared_distance(3.0, 0.0, square)), 12)
    4.0
    """
    radius = float(sqrt(x * x + y * y))
    c, s = (x / radius, y / radius) if radius else (1.0, 0.0)
    half = 0.5 / corners
    cosine, sine = float(cos_turns(half)), float(sin_turns(half))
    mirrors, sectors = [], corners
    while sectors > 1:
        sectors = (sectors + 1) // 2
        mirrors += [float(cos_turns(sectors * half)), float(sin_turns(sectors * half))]
    numbers = (c, s, cosine, sine, radius * cosine, radius * sine, *mirrors)
    return numbers + (0.0,) * (PLACES - len(numbers))


def mirrored(x: Any, y: Any, c: Any, s: Any) -> tuple[Any, Any, Any]:
    """Mirror points that lie to the left of a mirror's direction (c, s), and return 2.0 for them.

    Points to the right are returned unchanged, with 0.0.
    """
    t = y * c - x * s
    twice = select(t > 0.0, 2.0, 0.0)
    t = twice * t
    return x + t * s, y - t * c, twice


def folded(x: Any, y: Any, k: Any) -> tuple[Any, ...]:
    """Fold a point into the half sector of a polygon; also return what each mirror did."""
    u = k[0] * x + k[1] * y
    v = k[0] * y - k[1] * x
    side = select(v < 0.0, -1.0, 1.0)
    v = side * v
    u, v, a = mirrored(u, v, k[6], k[7])
    u, v, b = mirrored(u, v, k[8], k[9])
    u, v, c = mirrored(u, v, k[10], k[11])
    u, v, d = mirrored(u, v, k[12], k[13])
    u, v, e = mirrored(u, v, k[14], k[15])
    u, v, f = mirrored(u, v, k[16], k[17])
    return u, v, side, a, b, c, d, e, f


def restored(x: Any, y: Any, c: Any, s: Any, twice: Any) -> tuple[Any, Any]:
    """Undo `mirrored` for a direction, if its point was mirrored."""
    t = twice * (y * c - x * s)
    return x + t * s, y - t * c


def unfolded(x: Any, y: Any, k: Any, moves: Any) -> tuple[Any, Any]:
    """Turn a direction in the half sector back to the point that `folded` moved there."""
    x, y = restored(x, y, k[16], k[17], moves[8])
    x, y = restored(x, y, k[14], k[15], moves[7])
    x, y = restored(x, y, k[12], k[13], moves[6])
    x, y = restored(x, y, k[10], k[11], moves[5])
    x, y = restored(x, y, k[8], k[9], moves[4])
    x, y = restored(x, y, k[6], k[7], moves[3])
    y = moves[2] * y
    return k[0] * x - k[1] * y, k[0] * y + k[1] * x


def beyond(u: Any, v: Any, k: Any) -> tuple[Any, Any]:
    """How far a point of the half sector lies outside the edge, and past its end; 0 if it does not.

    The second is negative, because the corner lies at that end.
    """
    out = u * k[2] + v * k[3] - k[4]
    along = v * k[2] - u * k[3] + k[5]
    outside = out >= 0.0
    return select(outside, out, 0.0), select(outside & (along < 0.0), along, 0.0)


def squared_distance(x: Any, y: Any, k: Any) -> Any:
    """Squared distance to a polygon: 0 inside it.

    Parameters
    ----------
    x, y : float or ndarray
        Points.
    k : tuple of float, length `PLACES`
        From `regular_polygon`.

    Returns
    -------
    float or ndarray
        Of the shape of the points.
    """
    f = folded(x, y, k)
    out, past = beyond(f[0], f[1], k)
    return out * out + past * past


def offset(x: Any, y: Any, k: Any) -> tuple[Any, Any]:
    """Vector to a point from the nearest point of a polygon: 0 inside it.

    Parameters
    ----------
    x, y : float or ndarray
        Points.
    k : tuple of float, length `PLACES`
        From `regular_polygon`.

    Returns
    -------
    tuple of float or ndarray
        Its two coordinates.

    Examples
    --------
    >>> dx, dy = offset(2.0, 3.0, regular_polygon(4, 1.0, 0.0))
    >>> round(float(dx), 12), round(float(dy), 12)
    (2.0, 2.0)
    """
    f = folded(x, y, k)
    out, past = beyond(f[0], f[1], k)
    return unfolded(out * k[2] - past * k[3], out * k[3] + past * k[2], k, f)


def bend(x: Any, y: Any, k: Any) -> tuple[Any, Any, Any]:
    """Derivatives of `offset`: ``(xx, xy, yy)``; where it has none, those from one side.

    Zeros inside, the projection on the normal beside an edge, the identity beyond a corner.
    """
    f = folded(x, y, k)
    out = f[0] * k[2] + f[1] * k[3] - k[4]
    along = f[1] * k[2] - f[0] * k[3] + k[5]
    edge = select((out >= 0.0) & (along >= 0.0), 1.0, 0.0)
    corner = select((out >= 0.0) & (along < 0.0), 1.0, 0.0)
    nx, ny = unfolded(edge * k[2], edge * k[3], k, f)
    return nx * nx + corner, nx * ny, ny * ny + corner
