"""Films of a zoom: their windows, their depth, colours of equal rank, and where doubles end."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.plots.zoom_frames import (
    FEWEST_SPACINGS,
    colour_by_rank,
    ranks,
    spacings,
    zoom_frames,
)

WHOLE = (1e-4, 1e-2), (0.3, 0.999)


def test_windows_shrink_by_the_same_factor_towards_the_one_asked_for() -> None:
    window = (1e-3, 1.1e-3), (0.9, 0.91)
    frames = zoom_frames(WHOLE, window, 9)
    assert len(frames) == 9
    wide = np.array([[np.log(f.lr[1] / f.lr[0]), f.momentum[1] - f.momentum[0]] for f in frames])
    factors = wide[1:] / wide[:-1]
    assert np.allclose(factors, factors[0], rtol=1e-9)
    np.testing.assert_allclose([frames[0].lr, frames[0].momentum], WHOLE)
    np.testing.assert_allclose([frames[-1].lr, frames[-1].momentum], window)
    np.testing.assert_allclose(np.array([f.closer for f in frames]), wide[0] / wide)


def test_depth_is_told() -> None:
    frames = zoom_frames(WHOLE, ((1e-3, 1.1e-3), (0.9, 0.900001)), 5)
    assert frames[0].words == "the whole map"
    said = frames[-1].words
    assert said.startswith("48.3 x ")
    assert "times closer than the map (lr x momentum), momentum window " in said


def test_a_film_ends_where_doubles_do() -> None:
    window = (1e-3, 1e-3 * (1 + 1e-14)), (0.9, 0.9 + 1e-14)
    frames = zoom_frames(WHOLE, window, 100)
    assert 50 < len(frames) < 100
    left = [min(spacings(*f.lr), spacings(*f.momentum)) for f in frames]
    assert left[-1] >= FEWEST_SPACINGS > left[-1] / 3
    assert all(len(np.unique(np.linspace(*f.momentum, 512))) == 512 for f in frames)


def test_each_colour_has_the_same_share_of_the_cells() -> None:
    grid = fm.Grid(
        lr=np.geomspace(5e-4, 3e-3, 40), momentum=np.linspace(0.5, 0.95, 40), start=[(-1.2, 1.0)]
    )
    plan = fm.Experiment(
        objective="rosenbrock", rule="momentum", steps=5000, grid=grid,
        stop=fm.Stop(targets=[1e-6]),
    )  # fmt: skip
    ds = fm.run(plan).isel(start=0)
    drawn = plots.phase_map(Figure().add_subplot(), ds)
    assert drawn.steps is not None
    before = np.ma.asarray(drawn.steps.get_array())
    colour_by_rank(drawn)
    after = np.ma.asarray(drawn.steps.get_array())
    assert np.array_equal(before.mask, after.mask)
    shares = np.histogram(after.compressed(), 8, (0, 1))[0] / after.count()
    assert np.abs(shares - 1 / 8).max() < 0.02
    old, new = before.compressed(), after.compressed()
    order = np.argsort(old, kind="stable")
    assert (np.diff(new[order]) >= 0).all()
    assert drawn.steps.get_clim() == (0.0, 1.0)


def test_ranks_of_few_and_of_none() -> None:
    assert ranks(np.ma.array([3.0, 3.0])).tolist() == [0.5, 0.5]
    assert ranks(np.ma.masked_all(3)).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("deep", [False, True])
def test_the_script_tells_where_it_ended(script, tmp_path, deep) -> None:
    grid = fm.Grid(lr=[1e-3, 2e-3, 3e-3], momentum=[0.5, 0.7, 0.9], start=[(-1.2, 1.0)])
    plan = fm.Experiment(
        objective="rosenbrock", rule="momentum", steps=300, grid=grid, stop=fm.Stop(targets=[1e-2])
    )
    fm.run(plan, tmp_path / "map.h5").close()
    small = 1e-14 if deep else 1e-3
    words = ["--lr", f"2e-3:{2e-3 * (1 + small)!r}", "--momentum", f"0.8:{0.8 + small!r}"]
    film = tmp_path / "f.gif"
    options = ["--num", "6", "--frames", "5", "-o", film]
    status, out, err = script("animate_zoom", tmp_path / "map.h5", *words, *options)
    assert (status, err) == (0, "")
    with Image.open(film) as picture:
        count = picture.n_frames
    assert count < 5 if deep else count == 5
    assert (f"ends after {count} of 5 frames, where doubles do: the next window is" in out) == deep
