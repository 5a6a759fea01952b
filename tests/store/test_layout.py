"""Files of strangers: a hostile one for each thing that a file can lie about, all refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import FileError
from fastmomentum.store import checksums, manifest
from fastmomentum.store.manifest import MARK, TRAILER_BYTES
from tests.helpers import needs, not_on_windows
from tests.storing import command, finish, grid_of_runs

ROOT = Path(__file__).parents[2]
PLAN = """
steps = 10
objective.name = "rosenbrock"
rule.name = "momentum"
grid = { lr = 1e-3, momentum = 0.5, start = [[0.0, 0.0]] }
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "out.h5"
    finish(path, grid_of_runs())
    return path.read_bytes()


# What HDF5 would believe. Each edit is made with the library itself, as a stranger would.


def replaced(file: h5py.File, name: str, **creation: Any) -> None:
    """The same variable made otherwise."""
    values, said = file[name][...], dict(file[name].attrs)
    del file[name]
    made = file.create_dataset(name, **({"data": values} | creation))
    for key, value in said.items():
        if key not in ("DIMENSION_LIST", "REFERENCE_LIST"):
            made.attrs[key] = value


def virtual(file: h5py.File) -> None:
    shape = file["final_loss"].shape
    layout = h5py.VirtualLayout(shape, "f8")
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", shape)
    del file["final_loss"]
    file.create_virtual_dataset("final_loss", layout)


def link(name: str, target: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        if name in file:
            del file[name]
        file[name] = target

    return edit


def attribute(place: str, name: str, value: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        file[place].attrs[name] = value

    return edit


def made_as(name: str, **creation: Any) -> Callable[[h5py.File], None]:
    return lambda file: replaced(file, name, **creation)


EDITS: dict[str, Callable[[h5py.File], None]] = {
    "external link": link("more", h5py.ExternalLink("/etc/passwd", "/")),
    "external link for a variable": link("final", h5py.ExternalLink("other.h5", "/final")),
    "soft link": link("more", h5py.SoftLink("/lr")),
    "soft link for a variable": link("status", h5py.SoftLink("/n_steps")),
    "dangling soft link for a label": link("lr", h5py.SoftLink("/nothing")),
    "second hard link": lambda file: file.__setitem__("alias", file["final"]),
    "group": lambda file: file.create_group("more"),
    "group for a variable": lambda file: (file.__delitem__("final"), file.create_group("final")),
    "named type": lambda file: file.__setitem__("type", np.dtype("f8")),
    "unknown variable": lambda file: file.create_dataset("more", data=1.0),
    "missing variable": lambda file: file.__delitem__("n_steps"),
    "renamed variable": lambda file: file.move("n_steps", "n_stepz"),
    "external storage": made_as(
        "final_loss", data=None, shape=(5, 4, 2), dtype="f8", external=[("/etc/passwd", 0, 320)]
    ),
    "virtual data": virtual,
    "compressed": made_as("final", chunks=(5, 4, 2, 2), compression="gzip"),
    "shuffled": made_as("final", chunks=(5, 4, 2, 2), shuffle=True),
    "checksummed by HDF5": made_as("final", chunks=(5, 4, 2, 2), fletcher32=True),
    "filter of a plugin": made_as(
        "final", chunks=(5, 4, 2, 2), compression=32000 if h5py.h5z.filter_avail(32000) else "lzf"
    ),
    "chunked": made_as("final", chunks=(1, 4, 2, 2)),
    "compact": lambda file: file.create_dataset(
        "more", data=np.arange(3.0), dcpl=compact(), dtype="f8"
    ),
    "other byte order": made_as("final", dtype=">f8"),
    "other type": made_as("n_steps", dtype="f4"),
    "other size": made_as("n_steps", dtype="i8"),
    "unsigned": made_as("hit_step", dtype="u4"),
    "compound": made_as("status", data=np.zeros((5, 4, 2), [("a", "u1")])),
    "text": made_as("status", data=np.zeros((5, 4, 2), "S1")),
    "references": made_as("status", data=None, shape=(5, 4, 2), dtype=h5py.ref_dtype),
    "ragged": made_as("status", data=None, shape=(5, 4, 2), dtype=h5py.vlen_dtype("u1")),
    "enumeration": made_as("status", dtype=h5py.enum_dtype({"converged": 1}, "u1")),
    "fewer dimensions": made_as("final_loss", data=np.zeros(40)),
    "more dimensions": made_as("final_loss", data=np.zeros((5, 4, 2, 1))),
    "another shape": made_as("final_loss", data=np.zeros((4, 5, 2))),
    "a scalar": made_as("final_loss", data=0.0),
    "a shape bomb": made_as("final_loss", data=None, shape=(2**20, 2**20, 2**10), dtype="f8"),
    "no space": made_as("final_loss", data=h5py.Empty("f8")),
    "long journal": made_as("block_done", data=np.ones(7, "u1")),
    "other labels": lambda file: file["lr"].__setitem__(0, 0.5),
    "other parameters": lambda file: file["parameter"].__setitem__(0, "z"),
    "endless parameters": lambda file: replaced(
        file, "parameter", data=["z" * 10**7, "y"], dtype=h5py.string_dtype()
    ),
    "scale_factor": attribute("final", "scale_factor", 2.0),
    "add_offset": attribute("final_loss", "add_offset", 1.0),
    "_FillValue": attribute("status", "_FillValue", np.uint8(1)),
    "missing_value": attribute("n_steps", "missing_value", np.int32(20)),
    "units of time": attribute("n_steps", "units", "days since 2000-01-01"),
    "calendar": attribute("step", "calendar", "noleap"),
    "type in words": attribute("status", "dtype", "bool"),
    "valid range": attribute("final", "valid_range", [0.0, 1.0]),
    "other meanings": attribute("status", "flag_meanings", "not_run diverged converged max_steps"),
    "other coordinates": attribute("final", "coordinates", "start_y start_x"),
    "another title": attribute("/", "title", "Another"),
    "no title": lambda file: file.attrs.__delitem__("title"),
    "another CPU": attribute("/", "cpu", "Z80"),
    "another experiment": lambda file: file.attrs.__setitem__(
        "experiment", file.attrs["experiment"].replace(b'"steps":20', b'"steps":21')
    ),
    "another hash": attribute("/", "experiment_sha256", "0" * 64),
    "another format": attribute("/", "format_version", "2"),
    "other blocks": attribute("/", "block_runs", np.int64(8)),
    "more attributes": attribute("/", "more", "!"),
    "an attribute of lists": attribute("/", "title", np.zeros((100, 100))),
    "an attribute of references": lambda file: file.attrs.__setitem__("title", file["lr"].ref),
    "a huge attribute": attribute("/", "title", "x" * 2 * 10**6),
    "swapped axes": lambda file: (
        file["final"].dims[0].detach_scale(file["lr"]),
        file["final"].dims[0].attach_scale(file["momentum"]),
    ),
}


def compact() -> h5py.h5p.PropDCID:
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_layout(h5py.h5d.COMPACT)
    return settings


# What a manifest says, sealed anew by someone who knows how.


def forged(data: bytes, edit: Callable[[dict[str, Any]], object]) -> bytes:
    """A file whose manifest was edited, with a checksum that is right."""
    (length,) = (int(m[1]) for m in re.finditer(MARK + rb"(\d{12})", data))
    end = data.rindex(MARK) + TRAILER_BYTES
    told = json.loads(data[end - TRAILER_BYTES - length : end - TRAILER_BYTES])
    made = edit(told)
    return sealed(data, made if isinstance(made, bytes) else json.dumps(told).encode())


def sealed(data: bytes, text: bytes) -> bytes:
    trailer = MARK + b"%012d " % len(text) + b"0" * 32 + b" "
    return data + text + trailer + checksums.wide([text + trailer]).encode() + b"\n"


def planned(change: Callable[[dict[str, Any]], object] | str) -> Callable[[dict[str, Any]], None]:
    """Another experiment, with the right hash."""

    def edit(told: dict[str, Any]) -> None:
        text = change
        if not isinstance(text, str):
            tree = json.loads(told["attributes"]["experiment"])
            change(tree)  # type: ignore[operator]
            text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
        told["attributes"]["experiment"] = text
        told["attributes"]["experiment_sha256"] = hashlib.sha256(text.encode()).hexdigest()

    return edit


def told(table: str, name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda all_told: all_told[table].__setitem__(name, value)


LINE = {"name": "mse", "data": "/etc/passwd", "x": "a", "y": "b", "reduction": "mean"}
DRAWN = {"num_points": 10**7, "x_mid": 0.0, "x_range": 1.0, "y_weight": 1.0, "noise_range": 1,
         "seed": 0}  # fmt: skip
MANY = {"linspace": [0.0, 0.9], "num": 10**6}

HOSTILE_FORMULAS = [
    "__import__('os').system('true')",
    "x.__class__.__base__",
    "(lambda: x)()",
    "9**9**9**9 + x",
    "(" * 3000 + "x" + ")" * 3000,
    "-" * 9000 + "x",
    " + ".join(["x"] * 100_000),
    "*".join(f"(x+{i})" for i in range(1000)),
    "((x*9)^999)^999",
    "x\x1b[31m",
]


def formula(text: str, **fields: Any) -> Callable[[dict[str, Any]], object]:
    """The edit of a plan that gives it this formula."""
    table = {"name": "formula", "formula": text, **fields}
    return lambda tree: tree.__setitem__("objective", table)


FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no JSON": lambda _: b"{",
    "no text": lambda _: bytes(range(256)),
    "nothing": lambda _: b"",
    "a list": lambda _: b"[]",
    "a number": lambda _: b"7",
    "deep": lambda _: b"[" * 200_000,
    "deep tables": lambda _: b'{"a":' * 200_000,
    "a flood of lists": lambda _: b"[" + b"[]," * 5_000_000 + b"[]]",
    "an endless number": lambda _: b"1" * 10_000_000,
    "a key twice": lambda t: json.dumps(t).replace('{"lr":', '{"lr": 0, "lr":', 1).encode(),
    "NaN": lambda t: json.dumps(t).replace('"lr":', '"lr": NaN, "x":', 1).encode(),
    "more keys": lambda t: t.__setitem__("more", 1),
    "fewer keys": lambda t: t.__delitem__("layout"),
    "another hash": told("attributes", "experiment_sha256", "0" * 64),
    "a hash that is none": told("attributes", "experiment_sha256", 7),
    "no experiment": lambda t: t["attributes"].__delitem__("experiment"),
    "another format": told("attributes", "format_version", "2"),
    "no blocks": told("attributes", "block_runs", 0),
    "negative blocks": told("attributes", "block_runs", -7),
    "blocks beyond the runs": told("attributes", "block_runs", 41),
    "blocks of text": told("attributes", "block_runs", "7"),
    "blocks of lists": told("attributes", "block_runs", [7, 7]),
    "blocks of truth": told("attributes", "block_runs", True),
    "blocks of fractions": told("attributes", "block_runs", 7.0),
    "smaller blocks": told("attributes", "block_runs", 1),
    "a title of lists": told("attributes", "title", ["a"]),
    "a title of nothing": told("attributes", "title", None),
    "a huge attribute": told("attributes", "cpu", "x" * 100_000),
    "an odd name": told("attributes", "a b\x1b[31m", "x"),
    "attributes that are none": lambda t: t.__setitem__("attributes", 7),
    "offsets that are none": lambda t: t.__setitem__("offsets", [1, 2]),
    "a negative offset": told("offsets", "final", -8),
    "an offset beyond the end": told("offsets", "final", 10**6),
    "an offset beyond everything": told("offsets", "final", 2**80),
    "an offset of fractions": told("offsets", "final", 4096.0),
    "an offset of text": told("offsets", "final", "4096"),
    "an offset of truth": told("offsets", "final", True),
    "over the superblock": told("offsets", "status", 8),
    "over HDF5's headers": told("offsets", "status", 60),
    "over each other": lambda t: t["offsets"].__setitem__("final", t["offsets"]["n_steps"] + 4),
    "over the labels": lambda t: t["offsets"].__setitem__("status", t["offsets"]["lr"]),
    "over the manifest": lambda t: t["offsets"].__setitem__("status", 28_900),
    "an unknown variable": told("offsets", "more", 4096),
    "a missing variable": lambda t: t["offsets"].__delitem__("final"),
    "data of no regression": told("offsets", "data_x", 4096),
    "an experiment of text": planned("hello"),
    "an experiment of nothing": planned("null"),
    "a deep experiment": planned("[" * 100_000),
    "a deep experiment of tables": planned('{"grid":' * 100_000),
    "an experiment with spaces": planned(lambda tree: tree.__setitem__("title", "x" * 10)),
    "not canonical": lambda t: planned(t["attributes"]["experiment"] + " ")(t),
    "a key of the experiment twice": lambda t: planned(
        t["attributes"]["experiment"].replace('"steps":20', '"steps":20,"steps":20')
    )(t),
    "an experiment with NaN": lambda t: planned(
        t["attributes"]["experiment"].replace('"bound":1000000.0', '"bound":NaN')
    )(t),
    "an unknown objective": planned(lambda tree: tree["objective"].__setitem__("name", "os")),
    "an objective that is none": planned(lambda tree: tree.__setitem__("objective", 7)),
    "no grid": planned(lambda tree: tree.__delitem__("grid")),
    "a grid that is none": planned(lambda tree: tree.__setitem__("grid", [1])),
    "starts that are none": planned(lambda tree: tree["grid"].__setitem__("start", 7)),
    "another file's data": planned(lambda tree: tree.__setitem__("objective", LINE)),
    "ten million points": planned(
        lambda tree: tree.__setitem__("objective", LINE | {"data": DRAWN})
    ),
    "10^6 rates": planned(lambda tree: tree["grid"].__setitem__("lr", MANY)),
    "10^24 runs": planned(
        lambda tree: tree.__setitem__(
            "grid", {"lr": MANY, "momentum": MANY, "start": {"x": MANY, "y": MANY}}
        )
    ),
    "10^12 velocities": planned(
        lambda tree: tree["grid"].__setitem__("velocity", {"x": MANY, "y": MANY})
    ),
    "velocities that are none": planned(lambda tree: tree["grid"].__setitem__("velocity", 7)),
    "10^400 rates": planned(lambda tree: tree["grid"].__setitem__("lr", MANY | {"num": 10**400})),
    "10^18 rates of a step": planned(
        lambda tree: tree["grid"].__setitem__("lr", {"arange": [1.0, 1e18, 1.0], "include": []})
    ),
    "2^31 steps recorded": planned(
        lambda tree: (tree.__setitem__("steps", 2**31 - 2), tree["record"].__setitem__("every", 1))
    ),
    **{f"a formula: {text[:12]}": planned(formula(text)) for text in HOSTILE_FORMULAS},
    "a formula in other words": planned(formula("x^2  + y^2", minimisers=[[0.0, 0.0]])),
    "a formula without minimisers": planned(formula("x^2 + y^2")),
    "constants without end": planned(
        formula("x^2 + y^2", constants={f"c{i}": 1.0 for i in range(10**5)})
    ),
    "minimisers that are run": planned(
        formula("x^2 + y^2", minimisers=[["__import__('os').system('true')", 0.0]])
    ),
    "minimisers without end": planned(formula("x^2 + y^2", minimisers=[[0.0, 0.0]] * 10**5)),
    "other rates": planned(lambda tree: tree["grid"]["lr"].__setitem__("values", [1e-3] * 5)),
    "longer runs": planned(lambda tree: tree.__setitem__("steps", 21)),
}


# What is no file of results at all.


def fifo(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket must be short
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def sparse_hdf5(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"\x89HDF\r\n\x1a\n")
        file.truncate(2**40)


def loop(path: Path) -> None:
    path.symlink_to(path.with_name("loop"))
    path.with_name("loop").symlink_to(path)


def other_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["final"] = np.zeros(10)


STRANGE: dict[str, Callable[[Path], object]] = {
    "a pipe": fifo,
    "a socket": a_socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "links in a circle": loop,
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(50_000)),
    "a terabyte of zeros": sparse,
    "a terabyte of HDF5": sparse_hdf5,
    "text": lambda path: path.write_text("hello\n" * 100),
    "another HDF5 file": other_hdf5,
    "a manifest alone": lambda path: path.write_bytes(sealed(b"", b"{}")),
}


def hostile() -> Iterator[tuple[str, Callable[[Path, bytes], object]]]:
    """Names of hostile files, and what makes each out of a whole one."""

    def edited(edit: Callable[[h5py.File], None]) -> Callable[[Path, bytes], None]:
        def make(path: Path, data: bytes) -> None:
            path.write_bytes(data)
            with h5py.File(path, "r+") as file:
                edit(file)

        return make

    def written(change: Callable[[bytes], bytes]) -> Callable[[Path, bytes], object]:
        return lambda path, data: path.write_bytes(change(data))

    for name, edit in EDITS.items():
        yield f"edited: {name}", edited(edit)
    for name, forge in FORGERIES.items():
        yield f"forged: {name}", written(lambda data, forge=forge: forged(data, forge))
    for name, make in STRANGE.items():
        yield f"strange: {name}", lambda path, _, make=make: make(path)
    yield "edited: a user block", written(lambda data: bytes(512) + data)
    yield (
        "edited: a length of 10^12",
        written(lambda data: re.sub(MARK + rb"\d{12}", MARK + b"9" * 12, data)),
    )
    yield "edited: a gap of a terabyte", a_gap


def a_gap(path: Path, data: bytes) -> None:
    """The manifest moved to the end of a file full of nothing."""
    path.write_bytes(data)
    start = data.rindex(MARK)
    (length,) = (int(m[1]) for m in re.finditer(MARK + rb"(\d{12})", data))
    with path.open("r+b") as file:
        file.truncate(2**40)
        file.seek(2**40)
        file.write(data[start - length : start + TRAILER_BYTES])


HOSTILE = dict(hostile())

SPECIAL = {
    "strange: a pipe": needs("os.mkfifo"),
    "strange: a socket": needs("socket.AF_UNIX"),
    "strange: a device": needs("/dev/zero"),
    "strange: a terminal": needs("/dev/tty"),
    # A terabyte would really be written.
    "strange: a terabyte of zeros": not_on_windows,
    "strange: a terabyte of HDF5": not_on_windows,
    "edited: a gap of a terabyte": not_on_windows,
}
"""Files that some systems cannot have."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=SPECIAL.get(name, ())) for name in HOSTILE]
)
def test_a_hostile_file_is_refused_by_everything(
    name: str, whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.h5"
    HOSTILE[name](path, whole)
    size = path.lstat().st_size
    (tmp_path / "plan.toml").write_text(PLAN)
    with pytest.raises(FileError) as refusal:
        fm.open(path)
    assert len(str(refusal.value).splitlines()) == 1
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 500
    for arguments in (
        ["info", path],
        ["info", path, "--json"],
        ["verify", path],
        ["verify", path, "--repair"],
        ["run", tmp_path / "plan.toml", "-o", path, "--quiet"],
        ["run", tmp_path / "plan.toml", "-o", path, "--quiet", "--overwrite"],
    ):
        status, said = command(*arguments)
        assert status == 3, said
        assert len(said.splitlines()) == 1, said
    assert path.lstat().st_size == size
    assert sorted({p.name for p in tmp_path.iterdir()} - {"loop"}) == ["out.h5", "plan.toml"]


LIMITED = """
import json, os, resource, sys, time
import fastmomentum as fm
from fastmomentum.results.info import info_of
from fastmomentum.errors import FileError
import xarray
fm.open(sys.argv[1]).load()
fm.verify(sys.argv[1])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 600 * 2**20,) * 2)
slowest = 0.0
for path in sys.argv[2:]:
    begun = time.monotonic()
    try:
        fm.open(path)
        sys.exit(f"{path} was opened")
    except FileError as error:
        assert "MemoryError" not in str(error)
    slowest = max(slowest, time.monotonic() - begun)
loaded = [name for name in ("h5py", "h5netcdf", "netCDF4", "pickle5") if name in sys.modules]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([len(sys.argv) - 2, slowest, loaded, peak]))
"""


@needs("resource", "/proc/self/statm", "os.mkfifo", "socket.AF_UNIX")
def test_all_of_them_within_limits_and_without_hdf5(whole: bytes, tmp_path: Path) -> None:
    """600 MiB beside what is loaded, seconds each, and no HDF5 library that could load plugins."""
    paths = [tmp_path / "whole.h5"]
    paths[0].write_bytes(whole)
    for number, make in enumerate(HOSTILE.values()):
        (tmp_path / str(number)).mkdir()
        paths.append(tmp_path / str(number) / "out.h5")
        make(paths[-1], whole)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "HDF5_PLUGIN_PATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    count, slowest, loaded, _ = json.loads(done.stdout)
    assert count == len(HOSTILE)
    assert slowest < 10
    assert loaded == []


@pytest.mark.parametrize("script", ["plot_phase.py", "plot_loss.py", "plot_contour.py"])
def test_scripts_refuse_in_one_line(script: str, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    HOSTILE["edited: external link for a variable"](path, whole)
    done = subprocess.run(
        [sys.executable, ROOT / "experiments" / script, path], capture_output=True, text=True
    )
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "not a sound results file" in done.stderr


def test_text_from_a_file_cannot_steer_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.h5"
    monkeypatch.setattr(sys, "argv", ["run", "\x1b]0;title\x07 and\nlines"])
    finish(path, grid_of_runs())
    said = command("info", path)[1]
    assert said.replace("\n", "").isprintable()
    assert r"\x1b]0;title\x07" in said


# Ours are never refused.


@pytest.mark.parametrize("n", [1, 3, 1000, 40_000])
def test_long_lists_and_titles_are_read_back(n: int, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    plan = grid_of_runs(
        title="title " * min(n, 150),
        steps=1,
        record=None,
        grid=fm.Grid(
            lr=np.random.default_rng(0).uniform(1, 2, n), momentum=[0.5], start=[(0.0, 0.0)]
        ),
    )
    fm.run(plan, path).close()
    contents = manifest.read(path)
    assert contents.experiment == plan
    with h5py.File(path) as file:
        assert file.attrs["experiment"].decode() == plan.canonical
        for name, offset in contents.offsets.items():
            assert file[name].id.get_offset() == offset
        assert file["manifest"][...].tobytes().startswith(b'{"attributes":')
        assert file["manifest"].id.get_offset() + file["manifest"].nbytes <= contents.size


def test_an_experiment_too_long_for_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastmomentum.store import layout

    with monkeypatch.context() as patch:
        patch.setattr(layout, "LONGEST_EXPERIMENT", 100)
        with pytest.raises(fm.InputError, match="give long axes as linspace"):
            finish(tmp_path / "out.h5", grid_of_runs())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(manifest, "MOST_BLOCKS", 5)
    with pytest.raises(fm.InputError, match="6 blocks are more than the 5"):
        finish(tmp_path / "out.h5", grid_of_runs())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["10^6 rates", "10^12 velocities"])
def test_forged_axes_are_never_laid_out(name: str, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    HOSTILE[next(kind for kind in HOSTILE if kind.endswith(name))](path, whole)
    with pytest.raises(FileError, match="more runs than the file has bytes"):
        fm.open(path)
