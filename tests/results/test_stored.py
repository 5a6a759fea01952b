"""Results that are read without xarray: what `StoredResults` gives is what a data set of it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.results.backend import as_dataset
from fastmomentum.results.labelled import Labelled, LabelledArray
from fastmomentum.results.stored import open_stored
from fastmomentum.store.file_store import FileStore
from fastmomentum.store.paths import partial_name
from tests.storing import finish, grid_of_runs


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stored") / "out.h5"
    finish(path, grid_of_runs())
    return path


def test_a_file_has_the_same_variables_either_way(path: Path) -> None:
    with open_stored(path) as stored, fm.open(path) as ds:
        assert set(stored.data_vars) == set(ds.data_vars)
        assert set(stored.coords) == set(ds.coords)
        assert stored.attrs == ds.attrs
        assert stored.sizes == dict(ds.sizes)
        assert stored.dims == set(ds.dims)
        for name in ds.variables:
            one, other = stored[name], ds[name]
            assert (one.dims, one.shape, one.ndim) == (other.dims, other.shape, other.ndim)
            assert (one.size, one.dtype, one.attrs) == (other.size, other.dtype, other.attrs)
            assert one.values.tobytes() == other.values.tobytes(), name


@pytest.mark.parametrize(
    "which",
    [
        {"lr": 1, "momentum": 0},
        {"lr": -1},
        {"momentum": [1]},
        {"lr": np.int64(0), "momentum": np.array([1, 0])},
        {"momentum": [], "lr": 0},
        {},
    ],
)
def test_a_selection_has_the_same_values_either_way(which, path: Path) -> None:
    with open_stored(path) as stored, fm.open(path) as ds:
        one, other = stored.isel(which), ds.isel(which)
        for name in ds.variables:
            assert one[name].dims == other[name].dims
            np.testing.assert_array_equal(one[name].values, other[name].values)
        xr.testing.assert_identical(as_dataset(one), other)


def test_a_selection_twice_is_one_of_both(path: Path) -> None:
    with open_stored(path) as stored:
        one = stored.isel({"lr": 1}).isel({"momentum": 1})
        both = stored.isel({"lr": 1, "momentum": 1})
        assert one["final"].dims == both["final"].dims
        np.testing.assert_array_equal(one["final"].values, both["final"].values)


def test_the_only_value_is_a_number(path: Path) -> None:
    with open_stored(path) as stored:
        cell = fm.select_cell(stored, start=0)
        assert int(cell["status"]) == cell["status"].item()
        assert float(cell["lr"]) == stored["lr"].values[0]


def test_a_list_of_names_leaves_the_others_out(path: Path) -> None:
    with open_stored(path) as stored:
        some = stored[["status", "final"]]
        assert set(some.data_vars) == {"status", "final"}
        assert "lr" in some
        assert "n_steps" not in some


def test_an_unfinished_file_is_refused_or_opened_with_holes(tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    with FileStore.open(path, grid_of_runs()):
        pass  # as if it were interrupted before the first block
    with pytest.raises(InputError, match="not finished"):
        open_stored(path)
    with open_stored(partial_name(path), allow_partial=True) as stored:
        assert np.isnan(stored["final"].values).all()
        assert (stored["status"].values == 0).all()


def test_what_pages_take_is_told_from_what_they_do_not(path: Path) -> None:
    with open_stored(path) as stored, fm.open(path) as ds:
        assert isinstance(stored, Labelled)
        assert isinstance(ds, Labelled)
        assert not isinstance(ds.status, Labelled)
        assert isinstance(ds.status, LabelledArray)
        for other in (ds.status.variable, ds.status.values, ds.to_dataframe(), dict(ds.attrs)):
            assert not isinstance(other, Labelled | LabelledArray)
