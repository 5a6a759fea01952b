"""The file as others see it: h5py, h5netcdf, xarray, netCDF4, pandas, h5dump and ncdump."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import h5netcdf
import h5py
import netCDF4
import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.schema import coordinates, observations, results
from fastmomentum.store.bookkeeping import closing, journal
from tests.storing import grid_of_runs

X, Y = np.array([1.0, 2.0, 4.0, 7.0]), np.array([2.0, 3.5, 9.0, 13.0])
PLANS = {
    "points": grid_of_runs(title="Große Schritte"),
    "mesh": grid_of_runs(
        grid=fm.Grid(
            lr=[1e-3, 1e-2],
            momentum=[0.0, 0.9],
            start={"x": [-1.0, 0.0, 1.0], "y": [0.0, 2.0]},
        )
    ),
    "summaries": grid_of_runs(record=None, stop=fm.Stop()),
    "mse": grid_of_runs(
        objective=fm.MSE.from_arrays(X, Y),
        grid=fm.Grid(lr=[1e-3], momentum=[0.5], start={"a": [0.0, 1.0], "b": [0.0, 2.0, 3.0]}),
        record=fm.Record(every=5, dtype="float32"),
    ),
}


@pytest.fixture(scope="module", params=PLANS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    plan = PLANS[request.param]
    path = tmp_path_factory.mktemp("made") / "out.h5"
    fm.run(plan, path, n_jobs=1, block_runs=3).close()
    return plan, path, fm.run(plan, n_jobs=1)


def variables(plan: fm.Experiment):  # type: ignore[no-untyped-def]
    return [
        *coordinates(plan),
        *results(plan),
        *observations(plan),
        *journal(-(-plan.grid.n_runs // 3)),
        *closing(),
    ]


def test_fm_open_and_memory_are_equal(made) -> None:  # type: ignore[no-untyped-def]
    _, path, memory = made
    with fm.open(path) as ds:
        for name in memory.variables:
            xr.testing.assert_identical(memory[name].variable, ds[name].variable.load())
        assert set(ds.variables) == set(memory.variables)
        assert ds.attrs.keys() == memory.attrs.keys()


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray(engine: str, made) -> None:  # type: ignore[no-untyped-def]
    plan, path, memory = made
    with xr.open_dataset(path, engine=engine) as ds:
        for name, wanted in memory.variables.items():
            here = ds[name]
            assert here.dims == wanted.dims
            text = wanted.dtype.kind == "U"
            assert here.dtype.kind in ("UO" if text else wanted.dtype.kind)
            assert not text or all(type(word) is str for word in here.values.tolist())
            np.testing.assert_array_equal(here.values, wanted.values)
            for key, value in wanted.attrs.items():
                np.testing.assert_array_equal(here.attrs[key], value)
        assert set(memory.coords) == set(ds.coords) - {"status_code"}
        assert ds.attrs["title"] == plan.title
        assert json.loads(ds.attrs["experiment"]) == json.loads(plan.canonical)
        assert ds.final.sel(lr=1e-3, momentum=0.5, method="nearest").dims[-1] == "parameter"
        assert ds.final.sel(parameter=plan.objective.parameters[1]).shape == plan.grid.shape
        assert int(ds.runs_by_status.sum()) == plan.grid.n_runs
        assert float(ds.wall_time) > 0


def test_plain_h5py(made) -> None:  # type: ignore[no-untyped-def]
    plan, path, memory = made
    with h5py.File(path) as file:
        expected = {v.name for v in variables(plan)} | {"block", "manifest"}
        expected |= {"parameter_length", "manifest_length"}
        assert set(file) == expected | ({"observation"} if observations(plan) else set())
        for variable in variables(plan):
            data = file[variable.name]
            assert data.shape[: len(variable.shape)] == variable.shape
            assert data.id.get_create_plist().get_nfilters() == 0
            assert data.attrs["long_name"].decode() == variable.attributes["long_name"]
            if variable.dtype != "str":
                assert data.dtype == variable.dtype
            for axis, name in enumerate(variable.dims):
                if variable.dims != (variable.name,):
                    (scale,) = data.dims[axis].values()
                    assert scale.name == f"/{name}"
        assert h5py.h5ds.is_scale(file["lr"].id)
        names = [b"".join(letters).decode() for letters in file["parameter"][...]]
        assert names == list(plan.objective.parameters)
        np.testing.assert_array_equal(file["final"][...], memory.final.values)
        assert file.attrs["title"].decode() == plan.title
        assert file.attrs["Conventions"].startswith(b"CF-")


def text_types(place: h5py.File | h5py.Dataset) -> dict[str, h5py.h5t.TypeStringID]:
    """HDF5's types of the attributes that are text."""
    types = {name: h5py.h5a.open(place.id, name.encode()).get_type() for name in place.attrs}
    return {name: kind for name, kind in types.items() if isinstance(kind, h5py.h5t.TypeStringID)}


def test_text_is_of_fixed_length(made) -> None:  # type: ignore[no-untyped-def]
    """Text of any length, NC_STRING, is none to CF: NCO skips it, Octave's ncinfo stops at it."""
    with h5py.File(made[1]) as file:
        for place in (file, *file.values()):
            ours = text_types(place).keys() - {"CLASS", "NAME"}  # HDF5's own
            assert "long_name" in ours or place == file or "length" in place.name or not ours
            for name, kind in text_types(place).items():
                assert not kind.is_variable_str(), f"{place.name}: {name}"
                assert name not in ours or kind.get_cset() == h5py.h5t.CSET_UTF8
        strings = [v for v in file.values() if v.dtype.kind not in "fiu"]
        assert {v.name: v.dtype for v in strings} == dict.fromkeys(
            ["/parameter", "/manifest"], "S1"
        )


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_no_title(engine: str, tmp_path: Path) -> None:
    """HDF5 has no text of no length."""
    path = tmp_path / "out.h5"
    fm.run(grid_of_runs(title=""), path, n_jobs=1).close()
    with xr.open_dataset(path, engine=engine) as ds:
        assert ds.attrs["title"] == ""
    with fm.open(path) as ds:
        assert ds.attrs["title"] == ""


def test_h5netcdf_and_netcdf4(made) -> None:  # type: ignore[no-untyped-def]
    plan, path, memory = made
    with h5netcdf.File(path) as one, netCDF4.Dataset(path) as other:
        other.set_auto_mask(False)
        for variable in variables(plan):
            more = ("parameter_length",) if variable.dtype == "str" else ()
            for here in (one[variable.name], other[variable.name]):
                assert tuple(here.dimensions) == variable.dims + more
                assert tuple(here.shape[: len(variable.dims)]) == variable.shape
        for name in memory.variables:
            np.testing.assert_array_equal(other[name][...], memory[name].values)
        assert other["status"].flag_meanings == "not_run converged diverged max_steps"
        assert other["status"].flag_values.tolist() == [0, 1, 2, 3]
        assert other.title == one.attrs["title"] == plan.title
        sizes = {name: len(dimension) for name, dimension in other.dimensions.items()}
        assert sizes == {name: dimension.size for name, dimension in one.dimensions.items()}


def test_pandas(made) -> None:  # type: ignore[no-untyped-def]
    plan, path, memory = made
    with fm.open(path) as ds:
        table = ds[["status", "n_steps", "final_loss"]].to_dataframe()
    assert len(table) == plan.grid.n_runs
    assert list(table.index.names) == list(memory.status.dims)
    assert table.status.value_counts().sum() == plan.grid.n_runs
    best = table.final_loss.idxmin()
    assert table.final_loss.loc[best] == memory.final_loss.min()


def test_status_in_cfs_words(made) -> None:  # type: ignore[no-untyped-def]
    with xr.open_dataset(made[1], engine="h5netcdf") as ds:
        words = dict(
            zip(ds.status.flag_values.tolist(), ds.status.flag_meanings.split(), strict=True)
        )
        assert words == {int(s): s.name.lower() for s in fm.Status}


@pytest.mark.parametrize(
    ("tool", "shown"),
    [
        (["h5dump", "-H"], ['DATASET "final"', "H5T_IEEE_F64LE", 'ATTRIBUTE "long_name"']),
        (["ncdump", "-h"], ["double final(", 'final:long_name = "point at the', "ubyte status"]),
        (["ncdump", "-v", "status"], ["\n status ="]),
    ],
)  # fmt: skip
def test_what_people_see(tool: list[str], shown: list[str], made) -> None:  # type: ignore[no-untyped-def]
    if not shutil.which(tool[0]):
        pytest.skip(f"needs {tool[0]}, of Debian's hdf5-tools and netcdf-bin")
    done = subprocess.run([*tool, made[1]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in shown:
        assert line in done.stdout
