"""The explorer without a browser: views, links, maps, history, and what its server refuses."""

from __future__ import annotations

import json
import socket
import sys
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.execution.interruptible import run_unless
from fastmomentum.explorer.as_toml import toml_of
from fastmomentum.explorer.axes import SPACINGS, fitted, usual_window
from fastmomentum.explorer.changes import CHANGES
from fastmomentum.explorer.history import History
from fastmomentum.explorer.links import MOST_STEPS_SHOWN, view_of
from fastmomentum.explorer.maps import MOST_CELLS, MOST_UPDATES, coarse_size, fine_size
from fastmomentum.explorer.plane import PALETTE, plane_of
from fastmomentum.explorer.source import Source
from fastmomentum.explorer.view import View, first_view
from fastmomentum.results.backend import from_memory
from tests.helpers import LINE_X, LINE_Y, example_objectives, same_bits

if TYPE_CHECKING:
    from fastmomentum.explorer.serving import Explorer

VIEW = first_view()


def link_text(view: View) -> str:
    """What the server gets from a link."""
    (text,) = urllib.parse.parse_qs(view.link.removeprefix("?"))["view"]
    return text


@pytest.mark.parametrize("objective", list(example_objectives()), ids=lambda one: one.name)
@pytest.mark.parametrize("rule", fm.RULES)
def test_every_objective_and_rule_has_a_map_and_a_link(
    objective: fm.objectives.Objective, rule: str
) -> None:
    view = first_view(objective).changed(rule=fm.UpdateRule(name=rule)).fitting()
    experiment = view.experiment(5, 4)
    assert experiment.grid.n_runs == 20
    assert view_of(link_text(view), view) == view


@pytest.mark.parametrize("rule", fm.RULES)
def test_every_axis_has_a_window_and_a_map(rule: str) -> None:
    view = VIEW.changed(rule=fm.UpdateRule(name=rule)).fitting()
    for name in view.names:
        low, high = usual_window(name, view.objective, view.rule)
        assert low < high
        other = "start_x" if name == "lr" else "lr"
        made = CHANGES["axes"](view, {"x": other, "y": name}, view)
        assert made.experiment(3, 2).grid.n_runs == 6


@pytest.mark.parametrize("view", [
    VIEW,
    VIEW.changed(target=None),
    VIEW.changed(objective=fm.Formula("x^2 + k*y^2", k=3.0)),
    VIEW.changed(y="objective_b").fitting(),
    VIEW.changed(x="start_x", y="start_y").fitting(),
    VIEW.changed(rule=fm.UpdateRule(name="qhm", nu=0.5)).fitting(),
    VIEW.changed(others={"stop": {"bound": 50.0}}),
])  # fmt: skip
def test_the_text_reads_back_as_the_same_experiment(view: View, tmp_path: Path) -> None:
    experiment = view.experiment(6, 5)
    file = tmp_path / "shown.toml"
    file.write_text(toml_of(experiment), encoding="utf-8")
    assert fm.load(file).canonical == experiment.canonical


def test_a_map_given_up_is_none_and_else_the_same_bits() -> None:
    experiment = VIEW.experiment(40, 30)
    asked: list[int] = []

    def later() -> bool:
        asked.append(1)
        return len(asked) > 2

    with ThreadPoolExecutor(2) as threads:
        whole = run_unless(experiment, threads, 2, lambda: False)
        assert whole is not None
        same_bits(from_memory(experiment, whole, 0.0), fm.run(experiment))
        assert run_unless(experiment, threads, 2, later) is None
        assert run_unless(experiment, threads, 2, lambda: True) is None


def test_what_a_block_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastmomentum.execution import interruptible

    def broken(*_: object) -> None:
        raise InputError("a block broke")

    monkeypatch.setattr(interruptible, "run_block", broken)
    with ThreadPoolExecutor(1) as threads, pytest.raises(InputError, match="a block broke"):
        run_unless(VIEW.experiment(4, 4), threads, 1, lambda: False)


def test_the_colours_are_those_of_the_phase_map() -> None:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    from fastmomentum.plots import DIVERGED, NEVER

    ds = fm.run(VIEW.experiment(30, 25))
    plane = plane_of(ds, "lr", "momentum")
    status, hit = ds.status.values[..., 0].T, ds.hit_step.values[..., 0, 0].T
    codes = plane.codes
    assert codes.shape == (25, 30)
    assert {PALETTE[c] for c in codes[status == fm.Status.DIVERGED]} == {to_hex(DIVERGED)}
    assert {PALETTE[c] for c in codes[status == fm.Status.MAX_STEPS]} == {to_hex(NEVER)}
    fast, slow = codes[hit >= 0][[hit[hit >= 0].argmin(), hit[hit >= 0].argmax()]]
    assert fast < slow
    red, green, blue, _ = colormaps["viridis_r"](0.0)
    assert PALETTE[0] == f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


@pytest.mark.parametrize("steps", [1, 2000, MOST_STEPS_SHOWN])
@pytest.mark.parametrize("pixels", [(1, 1), (500, 400), (10_000, 10_000)])
def test_a_request_has_a_limit(steps: int, pixels: tuple[int, int]) -> None:
    view = VIEW.changed(steps=steps)
    for size in (fine_size(view, pixels), coarse_size(view, pixels)):
        assert max(size) <= MOST_CELLS
        assert size[0] * size[1] * steps <= MOST_UPDATES
        assert min(size) >= 2


@pytest.mark.parametrize(("name", "asked", "said"), [
    ("steps", {"value": "1e12"}, "whole number from 1 to 100,000"),
    ("steps", {"value": "nan"}, "must be a number"),
    ("target", {"value": "-1"}, "positive"),
    ("start", {"value": ["inf", 0]}, "must be a number"),
    ("objective", {"table": {"name": "mse", "data": "/etc/passwd"}}, "needs data"),
    ("objective", {"table": {"name": "rosenbrok"}}, "rosenbrock"),
    ("objective", {"formula": "x.__class__", "constants": ""}, "formula"),
    ("objective", {"formula": "a*x^2 + y^2", "constants": "a is 1"}, "constants must be like"),
    ("rule", {"table": {"name": "qhm", "nu": 7.0}}, "lie in [0, 1]"),
    ("axes", {"x": "lr", "y": "lr"}, "two different axes"),
    ("axes", {"x": "lr", "y": "nu"}, "no axis"),
    ("others", {"tables": {"objective": {"data": "x"}}}, "no table"),
    ("others", {"tables": {"files": {}}}, "no table"),
])  # fmt: skip
def test_what_makes_no_sense_is_told(name: str, asked: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as refused:
        CHANGES[name](VIEW, asked, VIEW).experiment(4, 4)
    assert said in str(refused.value)


@pytest.mark.parametrize("change", [
    {"steps": 10**9}, {"objective": {"name": "mse", "data": "x.csv"}}, {"windows": {"lr": [1, 2]}},
    {"windows": {"lr": [1, 2], "nothing": [0, 1]}}, {"start": [1]}, {"rule": "__import__"},
    {"others": {"record": {"every": 1}}}, {"lr": "x"},
])  # fmt: skip
def test_a_link_is_not_trusted(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        view_of(json.dumps(VIEW.plain | change), VIEW)


def test_the_data_of_mse_stay_with_the_server() -> None:
    mse = first_view(fm.MSE.from_arrays(LINE_X, LINE_Y))
    assert "statistics" not in mse.link
    assert view_of(link_text(mse), mse) == mse
    with pytest.raises(InputError, match="needs data"):
        view_of(link_text(mse), VIEW)


def test_a_window_is_as_wide_as_doubles_need() -> None:
    (low, high), ended = fitted("lr", (1e-3, 1e-3 * (1 + 1e-15)), VIEW.rule)
    assert ended
    assert high - low == pytest.approx(SPACINGS * np.spacing(1e-3), rel=1e-3)
    values = VIEW.changed(windows={"lr": (low, high), "momentum": (0.0, 1.0)}).experiment(500, 4)
    assert np.unique(values.grid.lr.points).size == 500


def test_history_drops_what_was_gone_back_from() -> None:
    history = History(VIEW)
    for steps in (10, 20, 30):
        history.enter(VIEW.changed(steps=steps))
    assert [history.back().steps for _ in range(2)] == [20, 10]
    history.enter(VIEW.changed(steps=40))
    assert not history.can_go_forward
    assert (history.back().steps, history.back().steps, history.back().steps) == (10, 2000, 2000)
    for steps in range(1, 1000):
        history.enter(VIEW.changed(steps=steps))
    assert len(history) == 200


def test_sources(tmp_path: Path) -> None:
    file = tmp_path / "grid.toml"
    file.write_text(
        'steps = 300\n[objective]\nname = "himmelblau"\n[rule]\nname = "nesterov"\n[grid]\n'
        "lr = { logspace = [1e-4, 1e-2], num = 30 }\nmomentum = [0.5, 0.9]\nstart = [[1.0, 2.0]]\n"
        "[stop]\ntargets = [1e-2, 1e-6]\nbound = 1e6\n"
    )
    view = Source(file).view
    assert (view.steps, view.target, view.start) == (300, 1e-6, (1.0, 2.0))
    assert view.experiment(4, 4).stop.bound == 1e6
    low, high = view.windows["lr"]
    assert low < 1e-4 < 1e-2 < high
    results = tmp_path / "grid.h5"
    fm.run(file, results)
    source = Source(results)
    assert source.has(source.view)
    assert not source.has(source.view.changed(steps=10))
    with pytest.raises(InputError, match="at most 100,000 updates"):
        Source(fm.load(file, ["steps=200000"]))
    with pytest.raises(InputError, match="no such file"):
        Source(tmp_path / "none.toml")


def test_a_list_of_cells_opens_the_map_that_they_are_of() -> None:
    axes = {"lr": [1e-3, 2e-3, 4e-3], "momentum": [0.1, 0.5, 0.9], "start": [(1.0, 2.0)]}
    views = [
        Source(
            fm.Experiment(objective="booth", rule="momentum", steps=9, grid=fm.Grid(**grid))
        ).view
        for grid in (axes, axes | {"cells": [4, 7, 8]})
    ]
    assert views[1].windows == views[0].windows
    assert (views[1].x, views[1].y) == ("lr", "momentum")
    assert (views[1].lr, views[1].momentum) == (2e-3, 0.5)


def test_without_the_extra_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmomentum.explorer.extra.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r'pip install "fastmomentum\[explore\]"'):
        fm.explore()


@pytest.fixture(scope="module")
def server() -> Iterator[Explorer]:
    pytest.importorskip("bokeh", reason="the extra explore is not installed")
    from fastmomentum.explorer.serving import in_background

    made, thread = in_background(Source(), port=0)
    yield made
    made.stop()
    thread.join()


@pytest.fixture(scope="module")
def port(server: Explorer) -> int:
    return server.port


def answer(port: int, path: str = "/", **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def test_the_server_answers_its_own_pages_alone(port: int) -> None:
    own = f"127.0.0.1:{port}"
    assert answer(port) == 200
    assert answer(port, Host=f"localhost:{port}") == 200
    assert answer(port, Origin=f"http://{own}") == 200
    for path in ("/", "/ws", "/static/js/bokeh.min.js", "/autoload.js", "/export/" + "0" * 32):
        assert answer(port, path, Host="evil.example") == 403
        assert answer(port, path, Host=f"evil.example:{port}") == 403
        assert answer(port, path, Origin="http://evil.example") == 403
        assert answer(port, path, Origin="null") == 403
        assert answer(port, path, Host="127.0.0.1:1") == 403


def test_the_server_gives_no_files(port: int) -> None:
    for path in ("/../pyproject.toml", "/static/../../../../etc/passwd", "/etc/passwd",
                 "/static/%2e%2e/%2e%2e/server/server.py", "/export/" + "0" * 32):  # fmt: skip
        assert answer(port, path) in (403, 404)


def test_the_server_listens_to_this_machine_alone(server: Explorer) -> None:
    assert server.addresses == [("127.0.0.1", server.port)]
    if sys.platform == "linux":  # there 127.0.0.2 is this machine, too, and by default answers
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", server.port), timeout=60)


def test_a_port_that_is_taken_is_told(port: int) -> None:
    with pytest.raises(fm.FastmomentumError, match=f"port {port} of 127.0.0.1 cannot be used"):
        fm.explore(port=port)


def test_a_notebook_gets_a_frame() -> None:
    pytest.importorskip("bokeh", reason="the extra explore is not installed")
    frame = fm.explore(port=0)
    try:
        assert f'<iframe src="{frame.url}"' in frame._repr_html_()
        assert frame.url in repr(frame)
    finally:
        frame.stop()
    assert not frame._thread.is_alive()


def test_the_package_does_not_load_bokeh_before_it_is_needed() -> None:
    import subprocess

    code = "import sys, fastmomentum as fm; fm.explore; print('bokeh' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
