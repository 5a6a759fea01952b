"""The file as R, NCO, Octave and ncdump read it; each is skipped where it is not installed.

On Debian: apt-get install r-cran-ncdf4 nco octave octave-netcdf netcdf-bin
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from tests.storing import grid_of_runs

TITLE = "Große Schritte"
Made = tuple[Path, xr.Dataset]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    path = tmp_path_factory.mktemp("made") / "out.h5"
    plan = grid_of_runs(title=TITLE)
    fm.run(plan, path, n_jobs=1).close()
    return path, fm.run(plan, n_jobs=1)


def said(*words: object) -> str:
    """What a program prints on either stream; it must end well."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def needs(program: str, package: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}, of Debian's {package}")


def numbers(text: str, name: str) -> np.ndarray:
    """Numbers of a line such as ``name: 1 2.5 NaN``."""
    line = re.search(rf"^{name}: (.*)$", text, re.MULTILINE)
    assert line, text
    return np.array([float(word) for word in line[1].replace("NA", "nan").split()])


def same(text: str, memory: xr.Dataset, *names: str) -> None:
    """Assert that a program printed the values of variables, in C order and to the last bit."""
    for name in names:
        np.testing.assert_array_equal(numbers(text, name), memory[name].values.ravel(), name)


IN_C_ORDER = [
    "lr",
    "momentum",
    "start",
    "step",
    "target",
    "status",
    "n_steps",
    "hit_step",
    "final",
    "final_loss",
    "trajectory",
]

R = r"""
library(ncdf4)
file <- nc_open(commandArgs(TRUE)[1])
said <- function(name, what) cat(name, ": ", paste(what, collapse = " "), "\n", sep = "")
for (name in strsplit(commandArgs(TRUE)[2], ",")[[1]])
  said(name, sprintf("%.17g", as.numeric(ncvar_get(file, name))))
said("parameter", ncvar_get(file, "parameter"))
said("title", ncatt_get(file, 0, "title")$value)
said("coordinates", ncatt_get(file, "final", "coordinates")$value)
said("slice", sprintf("%.17g", as.numeric(
  ncvar_get(file, "final", start = c(1, 2, 3, 4), count = c(2, 1, 1, 2)))))
"""


@functools.cache
def has_ncdf4() -> bool:
    words = ["Rscript", "-e", "quit(status = !requireNamespace('ncdf4'))"]
    return subprocess.run(words, capture_output=True).returncode == 0


def test_r(made: Made, tmp_path: Path) -> None:
    needs("Rscript", "r-base-core")
    if not has_ncdf4():
        pytest.skip("needs R's ncdf4, of Debian's r-cran-ncdf4")
    (tmp_path / "read.R").write_text(R)
    path, memory = made
    text = said("Rscript", tmp_path / "read.R", path, ",".join(IN_C_ORDER))
    same(text, memory, *IN_C_ORDER)
    assert "parameter: x y\n" in text
    assert f"title: {TITLE}\n" in text
    assert "coordinates: start_x start_y\n" in text
    assert "WARNING" not in text
    cut = memory.final.values[3:5, 2, 1]
    np.testing.assert_array_equal(numbers(text, "slice"), cut.ravel())


OCTAVE = r"""
pkg load netcdf
path = argv(){1}; names = strsplit(argv(){2}, ",");
say = @(name, values) printf("%s:%s\n", name, sprintf(" %.17g", double(values)));
found = ncinfo(path);
printf("variables: %s\n", strjoin({found.Variables.Name}, " "));
for variable = found.Variables
  for attribute = variable.Attributes
    if ! isequal(attribute.Value, ncreadatt(path, variable.Name, attribute.Name))
      error("%s: %s", variable.Name, attribute.Name)
    endif
  endfor
endfor
printf("title: %s\n", ncreadatt(path, "/", "title"));
printf("coordinates: %s\n", ncreadatt(path, "final", "coordinates"));
printf("parameter: %s\n", ncread(path, "parameter"));
for name = names
  say(name{1}, ncread(path, name{1})(:));
endfor
say("slice", ncread(path, "final", [1 2 3 4], [2 1 1 2])(:));
loaded = load("-hdf5", path, names{:});
for name = names
  say(["loaded " name{1}], loaded.(name{1})(:));
endfor
"""


def test_octave(made: Made, tmp_path: Path) -> None:
    needs("octave", "octave")
    octave = ("octave", "--no-gui", "--norc", "--quiet")
    if subprocess.run([*octave, "--eval", "pkg load netcdf"], capture_output=True).returncode:
        pytest.skip("needs Octave's netcdf, of Debian's octave-netcdf")
    (tmp_path / "read.m").write_text(OCTAVE)
    path, memory = made
    text = said(*octave, tmp_path / "read.m", path, ",".join(IN_C_ORDER))
    same(text, memory, *IN_C_ORDER)
    for name in IN_C_ORDER:
        np.testing.assert_array_equal(numbers(text, f"loaded {name}"), memory[name].values.ravel())
    with netCDF4.Dataset(path) as file:
        assert re.search("^variables: (.*)$", text, re.MULTILINE)[1].split() == [*file.variables]  # type: ignore[index]
    assert "parameter: xy\n" in text
    assert f"title: {TITLE}\n" in text
    assert "coordinates: start_x start_y\n" in text
    np.testing.assert_array_equal(numbers(text, "slice"), memory.final.values[3:5, 2, 1].ravel())


def test_nco_cuts_a_slice_out(made: Made, tmp_path: Path) -> None:
    """With what `coordinates` names, which it finds in text of fixed length only."""
    needs("ncks", "nco")
    path, memory = made
    out = tmp_path / "slice.nc"
    cut = ("-d", "lr,1,3", "-d", "momentum,0.9", "-d", "start,1", "-d", "parameter,0")
    assert said("ncks", "--no_tmp_fl", "-v", "status,final", *cut, path, out) == ""
    with xr.open_dataset(out) as ds:
        wanted = memory.isel(lr=slice(1, 4), momentum=[3], start=[1], parameter=[0])
        for name in ("status", "final", "start_x", "start_y", "lr", "parameter"):
            np.testing.assert_array_equal(ds[name].values, wanted[name].values)
        assert set(wanted.final.coords) == set(ds.final.coords)


def test_nco_reads_all_of_it(made: Made) -> None:
    needs("ncks", "nco")
    text = said("ncks", made[0])
    assert "WARNING" not in text
    assert "ERROR" not in text
    assert f':title = "{TITLE}"' in text


def test_ncdump_is_as_the_readme_shows_it(tmp_path: Path) -> None:
    needs("ncdump", "netcdf-bin")
    shown = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```\n(netcdf out \{\n.*?)```", shown, re.DOTALL)
    assert block
    head = block[1].splitlines()
    sizes = {name: int(n) for name, n in re.findall(r"(\w+) = (\d+) ;", head[2])}
    plan = grid_of_runs(
        steps=sizes["step"] - 1,
        record=fm.Record(every=1),
        grid=fm.Grid(
            lr=np.geomspace(1e-5, 1e-3, sizes["lr"]),
            momentum=np.linspace(0, 0.9, sizes["momentum"]),
            start=[(0, k) for k in range(sizes["start"])],
        ),
    )
    fm.run(plan, tmp_path / "out.h5", n_jobs=1).close()
    text = said("ncdump", "-h", tmp_path / "out.h5")
    there = {name: int(n) for name, n in re.findall(r"\t(\w+) = (\d+) ;", text)}
    assert there.pop("manifest_length") > 1000
    assert there.items() == sizes.items() - {("manifest_length", sizes["manifest_length"])}
    place = 0
    for line in head[3:]:
        place = text.find(line + "\n", place)
        assert place >= 0, f"ncdump does not show, or not there: {line}"


def test_ncdump_of_a_long_experiment(tmp_path: Path) -> None:
    """Its text is longer than the 64 KiB that HDF5 keeps in an object's header."""
    needs("ncdump", "netcdf-bin")
    rates = np.random.default_rng(0).uniform(1e-4, 1e-3, 10_000)
    plan = grid_of_runs(
        steps=1, record=None, grid=fm.Grid(lr=rates, momentum=[0.5], start=[(0.0, 0.0)])
    )
    fm.run(plan, tmp_path / "out.h5", n_jobs=1).close()
    said_of_itself = said("ncdump", "-h", tmp_path / "out.h5")
    assert plan.canonical.replace('"', '\\"') in said_of_itself
