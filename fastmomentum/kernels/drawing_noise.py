"""Noise of a kernel's gradients: drawn into tables, and added."""

from __future__ import annotations

from fastmomentum.elementary.bits import bits_of
from fastmomentum.kernels.tiles import Function, inlined, made_once
from fastmomentum.noise import gaussian_pair


@made_once
def shared_noise(n: int, first: int) -> Function:
    """``share(table, t, t_end, rows, random)``: noise that all runs share."""

    def share(table, t, t_end, rows, random):  # type: ignore[no-untyped-def]
        deviation, key_0, key_1 = random.deviation, random.noise_key[0], random.noise_key[1]
        for c in range(0, n, 2):
            second = min(c + 1, n - 1)  # an odd last coordinate has a pair for itself
            for s in range(t, t_end):
                one, other = gaussian_pair(s, c // 2, key_0, key_1)
                table[first + second, s - t] = deviation * other
                table[first + c, s - t] = deviation * one

    return inlined(share)


@made_once
def own_noise(n: int, first: int, key: int) -> Function:
    """``draw(table, tile, t, t_end, rows, random)``: each lane's own noise."""

    def draw(table, tile, t, t_end, rows, random):  # type: ignore[no-untyped-def]
        deviation, lanes = random.deviation, table.shape[2]
        for c in range(0, n, 2):
            second = min(c + 1, n - 1)
            for s in range(t, t_end):
                for lane in range(lanes):
                    key_0, key_1 = bits_of(tile[key, lane]), bits_of(tile[key + 1, lane])
                    one, other = gaussian_pair(s, c // 2, key_0, key_1)
                    table[first + second, s - t, lane] = deviation * other
                    table[first + c, s - t, lane] = deviation * one

    return inlined(draw)


@made_once
def adding(n: int) -> Function:
    """``add(g, noise)``: a gradient with its noise; the gradient where there is none."""
    if not n:

        def nothing(g, noise):  # type: ignore[no-untyped-def]
            return ()

        return inlined(nothing)
    before, last = adding(n - 1), n - 1

    def add(g, noise):  # type: ignore[no-untyped-def]
        return (*before(g, noise), g[last] + noise[last])

    return inlined(add)
