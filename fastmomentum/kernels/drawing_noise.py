"""Noise of a kernel's gradients: drawn into tables, and added."""

from __future__ import annotations

import numpy as np

from fastmomentum.elementary.bits import bits_of
from fastmomentum.kernels.bits import widest_vectors
from fastmomentum.kernels.tiles import Function, inlined, made_once
from fastmomentum.noise.gaussian import gaussian_of, gaussian_pair, random_words


@made_once
def shared_noise(n: int, first: int) -> Function:
    """``share(table, t, t_end, rows, random)``: noise that all runs share."""

    def share(table, t, t_end, rows, random):  # type: ignore[no-untyped-def]
        widest_vectors()
        deviation, key_0, key_1 = random.deviation, random.noise_key[0], random.noise_key[1]
        for c in range(0, n, 2):
            second = min(c + 1, n - 1)  # an odd last coordinate uses half of its pair
            for s in range(t, t_end):
                one, other = gaussian_pair(s, c // 2, key_0, key_1)
                table[first + second, s - t] = deviation * other
                table[first + c, s - t] = deviation * one

    return inlined(share)


@made_once
def own_noise(n: int, first: int, key: int) -> Function:
    """``draw(table, tile, t, t_end, rows, random)``: each lane's own noise."""

    def draw(table, tile, t, t_end, rows, random):  # type: ignore[no-untyped-def]
        widest_vectors()
        deviation, lanes = random.deviation, table.shape[2]
        keys, words = np.empty((2, lanes), np.uint32), np.empty((2, lanes), np.uint32)
        for lane in range(lanes):
            keys[0, lane], keys[1, lane] = bits_of(tile[key, lane]), bits_of(tile[key + 1, lane])
        for c in range(0, n, 2):
            second = min(c + 1, n - 1)
            for s in range(t, t_end):
                # Two loops: a vector holds twice as many words as doubles.
                for lane in range(lanes):
                    key_0, key_1 = np.uint64(keys[0, lane]), np.uint64(keys[1, lane])
                    words[0, lane], words[1, lane] = random_words(s, c // 2, key_0, key_1)
                for lane in range(lanes):
                    one, other = gaussian_of(np.uint64(words[0, lane]), np.uint64(words[1, lane]))
                    table[first + second, s - t, lane] = deviation * other
                    table[first + c, s - t, lane] = deviation * one

    return inlined(draw)


@made_once
def adding(n: int) -> Function:
    """``add(g, noise)``: the first `n` components of a gradient, with their noise."""
    if not n:

        def nothing(g, noise):  # type: ignore[no-untyped-def]
            return ()

        return inlined(nothing)
    before, last = adding(n - 1), n - 1

    def add(g, noise):  # type: ignore[no-untyped-def]
        return (*before(g, noise), g[last] + noise[last])

    return inlined(add)
