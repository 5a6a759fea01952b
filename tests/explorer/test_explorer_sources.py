"""Random results in the explorer: rows and seeds in what it computes and writes down."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.explorer.as_toml import toml_of
from fastmomentum.explorer.changes import CHANGES
from fastmomentum.explorer.links import check, view_of
from fastmomentum.explorer.maps import Engine
from fastmomentum.explorer.paths import computed_path_of, stored_path_of
from fastmomentum.explorer.plane import plane_in_memory
from fastmomentum.explorer.source import Source
from fastmomentum.results.backend import from_memory
from tests.helpers import same_bits

X = np.linspace(0.0, 5.0, 40)
LINE = fm.MSE.from_arrays(X, 2.0 * X + np.sin(40.0 * X))
MOMENTA = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
"""Of cells that lie in [0, 1] as a whole, so that those of the file's window are the file's."""

FILES: dict[str, dict[str, Any]] = {
    "noise": {
        "objective": fm.Rosenbrock(), "noise": {"gaussian": 5.0}, "start": [(-1.2, 1.0)],
        "lr": np.geomspace(1e-4, 1e-2, 8), "seed": [7, 3, 11],
    },
    "batches": {
        "objective": LINE, "batch": {"size": 4}, "start": [(0.0, 0.0), (3.0, 1.0)],
        "lr": np.geomspace(1e-3, 0.2, 8), "seed": [7, 3, 11],
    },
    "standardised": {
        "objective": fm.MSE.from_arrays(X, 2.0 * X + np.sin(40.0 * X), standardise=True),
        "batch": {"size": 4, "draw": "replacement"}, "noise": {"gaussian": 0.1},
        "start": [(-4.0, 3.0)], "lr": np.geomspace(1e-3, 0.5, 8), "seed": 5,
    },
}  # fmt: skip
FIRST = {"noise": 3, "batches": 3, "standardised": 0}


def plan(kind: str) -> fm.Experiment:
    fields = dict(FILES[kind])
    axes = {name: fields.pop(name) for name in ("lr", "start", "seed")}
    grid = fm.Grid(momentum=MOMENTA, **axes)
    stop = fm.Stop(targets=[2.0])
    return fm.Experiment(rule="momentum", steps=60, grid=grid, stop=stop, **fields)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(2)
    yield made
    made.close()


@pytest.fixture(scope="module", params=FILES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def file(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(kind) / "random.h5"
    fm.run(plan(kind), path).close()
    return path


def test_the_first_computed_map_is_that_of_the_file(kind: str, file: Path, engine: Engine) -> None:
    source = Source(file)
    view, shown = source.view, source.plane
    check(view)
    assert list(view.experiment(4, 4).grid.seeds) == [FIRST[kind]]
    experiment = view.experiment(*shown.status.shape)
    engine.compile(experiment)
    arrays = engine.map(experiment, lambda: False)
    assert arrays is not None
    made = plane_in_memory(experiment, arrays, view.x, view.y)
    assert len(np.unique(shown.steps)) > 5
    assert np.array_equal(made.status, shown.status)
    assert np.array_equal(made.steps, shown.steps)


def test_a_zoom_of_the_file_is_computed(kind: str, file: Path, engine: Engine) -> None:
    source = Source(file)
    view = CHANGES["nudge"](source.view, {"factor": 0.5}, source.view)
    check(view)
    assert not source.has(view)
    experiment = view.experiment(9, 7)
    engine.compile(experiment)
    arrays = engine.map(experiment, lambda: False)
    assert arrays is not None
    ds = fm.run(experiment, n_jobs=1)
    same_bits(from_memory(experiment, arrays, 0.0), ds)
    path = computed_path_of(view, (float(ds.lr[4]), float(ds.momentum[3])))
    assert path.run.n_steps == ds.n_steps.values[0, 4, 3, 0]
    assert list(ds.seed.values) == [FIRST[kind]]


def test_the_path_of_the_file_is_that_of_its_map(file: Path) -> None:
    source = Source(file)
    view = source.view
    assert source.results is not None
    cell = float(source.results.lr[3]), float(source.results.momentum[2])
    stored = stored_path_of(source.results, view.x, view.y, cell)
    assert np.array_equal(stored.run.points, computed_path_of(view, cell).run.points)
    assert stored.run.n_steps == source.results.n_steps.values[0, 3, 2, 0]


def test_a_link_keeps_the_seed(kind: str, file: Path) -> None:
    view = Source(file).view
    opened = view_of(urllib.parse.parse_qs(view.link[1:])["view"][0], view)
    assert opened == view
    assert list(opened.experiment(4, 4).grid.seeds) == [FIRST[kind]]


def test_a_part_of_the_results_is_shown_as_that_part(engine: Engine) -> None:
    ds = fm.run(plan("batches"))
    source = Source(ds.sel(seed=11).isel(start=1))
    view = source.view
    assert list(view.experiment(4, 4).grid.seeds) == [11]
    assert view.start == (3.0, 1.0)
    experiment = view.experiment(*source.plane.status.shape)
    engine.compile(experiment)
    arrays = engine.map(experiment, lambda: False)
    assert arrays is not None
    made = plane_in_memory(experiment, arrays, view.x, view.y)
    assert np.array_equal(made.steps, source.plane.steps)


def test_results_that_lost_their_rows_are_refused() -> None:
    with pytest.raises(InputError, match="data_x is missing"):
        Source(fm.run(plan("batches")).drop_vars(["data_x", "data_y"]))


@pytest.mark.parametrize(("seed", "first"), [("[7, 3, 11]", 3), ("5", 0), ("[4]", 4)])
@pytest.mark.parametrize(("axes", "x", "y"), [
    ("lr = { logspace = [1e-3, 1e-2], num = 4 }\nmomentum = [0.5, 0.6]", "lr", "momentum"),
    ("lr = [1e-3]\nmomentum = [0.5, 0.6]\nobjective = { b = [90.0, 100.0] }", "momentum",
     "objective_b"),
])  # fmt: skip
def test_an_experiment_file_opens_at_its_first_seed(
    seed: str, first: int, axes: str, x: str, y: str, tmp_path: Path
) -> None:
    file = tmp_path / "noisy.toml"
    file.write_text(
        'steps = 50\nobjective.name = "rosenbrock"\nrule.name = "momentum"\nnoise.gaussian = 0.1\n'
        f"[grid]\nstart = [[-1.2, 1.0]]\nvelocity = [[0.5, 0.0]]\nseed = {seed}\n{axes}\n"
    )
    view = Source(file).view
    grid = view.experiment(4, 2).grid
    assert list(grid.seeds) == [first]
    assert [axis.tolist() for axis in grid.velocity_axes] == [[0.5], [0.0]]
    assert (view.x, view.y) == (x, y)
    given = fm.load(file).grid.axes
    shown = view.experiment(given[x].size, given[y].size).grid.axes
    for name in (x, y):
        assert shown[name] == pytest.approx(given[name])


def test_without_seeds_there_is_none() -> None:
    grid = fm.Grid(lr=0.1, momentum=0.5, start=[(1, 1)])
    calm = fm.Experiment(objective="booth", rule="momentum", steps=9, grid=grid)
    assert Source(calm).view.others == {}


def written(experiment: fm.Experiment, folder: Path) -> Path:
    path = folder / "shown.toml"
    path.write_text(toml_of(experiment), encoding="utf-8")
    return path


def test_the_text_of_a_noisy_file_reads_back(tmp_path: Path) -> None:
    source = Source(fm.run(plan("noise")))
    whole = source.experiment_of(source.view)
    assert whole is not None
    assert fm.load(written(whole, tmp_path)).canonical == plan("noise").canonical
    zoomed = CHANGES["nudge"](source.view, {"factor": 0.5}, source.view)
    assert source.experiment_of(zoomed) is None
    shown = zoomed.experiment(5, 4)
    assert fm.load(written(shown, tmp_path)).canonical == shown.canonical


@pytest.mark.parametrize("kind", ["batches", "standardised"])
def test_the_text_of_a_file_with_batches_says_where_the_rows_are(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "OUT.h5"
    fm.run(plan(kind), results).close()
    source = Source(results)
    whole = source.experiment_of(source.view)
    assert whole is not None
    zoomed = CHANGES["nudge"](source.view, {"factor": 0.5}, source.view).experiment(5, 4)
    for experiment in (whole, zoomed):
        with pytest.raises(InputError, match=r"points\.csv: no such file"):
            fm.load(written(experiment, tmp_path))
    (line,) = (one for one in toml_of(whole).splitlines() if one.startswith("# fm."))
    monkeypatch.chdir(tmp_path)
    exec(line.removeprefix("# "), {"fm": fm})
    with fm.open(results) as ds:
        same_bits(fm.run(fm.load(written(whole, tmp_path))), ds)
    same_bits(fm.run(fm.load(written(zoomed, tmp_path))), fm.run(zoomed))


@pytest.mark.parametrize("standardise", [False, True])
def test_the_text_of_arrays_without_batches_is_whole(standardise: bool, tmp_path: Path) -> None:
    objective = fm.MSE.from_arrays(X, 3.0 * X + 1.0, standardise=standardise)
    grid = fm.Grid(lr=[0.1, 0.2], momentum=[0.5, 0.6], start=[(0, 0)])
    experiment = fm.Experiment(objective=objective, rule="momentum", steps=9, grid=grid)
    again = fm.load(written(experiment, tmp_path))
    assert again.canonical == experiment.canonical
    same_bits(fm.run(again), fm.run(experiment))
