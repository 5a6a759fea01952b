"""The page of the explorer in a real browser: gestures, and what they change."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
import urllib.parse
from pathlib import Path

import numpy as np
import pytest

import fastmomentum as fm

pytest.importorskip("bokeh", reason="the extra explore is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from fastmomentum.explorer.serving import Explorer, in_background
from fastmomentum.explorer.source import Source
from tests.explorer.browsing import (
    PATIENCE,
    Browser,
    experiment_shown,
    needs_chromium,
)
from tests.helpers import not_on_windows

pytestmark = [needs_chromium, pytest.mark.slow]


def test_a_wheel_zooms_and_the_map_is_computed_anew(browser: Browser) -> None:
    axes, image = browser.axes(), browser.image()
    state = browser.after(lambda: browser.wheel("map", 0.6, 0.8, 3))
    zoomed = browser.axes()
    assert axes[0] < zoomed[0] < zoomed[1] < axes[1]
    assert axes[2] < zoomed[2] < zoomed[3] <= axes[3]
    assert browser.image() != image
    assert state["view"]["windows"] == {"lr": zoomed[:2], "momentum": zoomed[2:]}
    assert state["shown"]["map"]["kind"] == "fine"


def test_the_pixels_are_those_of_the_library(browser: Browser, tmp_path: Path) -> None:
    browser.after(lambda: browser.wheel("map", 0.6, 0.8, 2))
    experiment = experiment_shown(browser, tmp_path)
    ds = fm.run(experiment).isel(start=0)
    data = browser.driver.execute_script("return window.explorer.map_data()")
    assert np.array_equal(data["steps"], ds.hit_step.isel(target=-1).values.T.ravel())
    assert np.array_equal(data["status"], ds.status.values.T.ravel())
    assert data["x"] == ds.lr.values.tolist()
    assert data["y"] == ds.momentum.values.tolist()


def test_a_click_shows_a_path_and_it_equals_replay(browser: Browser, tmp_path: Path) -> None:
    before = browser.state()["view"]["cell"]
    browser.click("map", 0.62, 0.83)
    state = browser.until(lambda s: s["view"]["cell"] != before)
    lr, momentum = state["view"]["cell"]
    ds = fm.run(experiment_shown(browser, tmp_path))
    replayed = fm.replay(ds, lr=lr, momentum=momentum)
    assert (float(replayed.lr), float(replayed.momentum)) == (lr, momentum)
    made = replayed.trajectory.values[: int(replayed.n_steps) + 1]
    shown = browser.path()
    assert np.array_equal(shown, made[np.isfinite(made).all(axis=1)][: len(shown)])
    assert len(shown) == len(made)


def test_a_drag_over_the_map_moves_the_path(browser: Browser) -> None:
    before = browser.state()["view"]["cell"]
    windows = browser.state()["view"]["windows"]
    browser.drag("map", (0.3, 0.9), (0.4, 0.9), (0.5, 0.85))
    state = browser.until(lambda s: s["view"]["cell"] != before)
    assert state["view"]["windows"] == windows  # a path is drawn, the map stays


def test_a_box_zooms(browser: Browser) -> None:
    before = browser.axes()
    browser.press("x")
    assert browser.state()["mode"] == "box"
    browser.after(lambda: browser.drag("map", (0.5, 0.6), (0.6, 0.7), (0.8, 0.9)))
    after = browser.axes()
    logs = np.log(before[:2])
    expected = np.exp(logs[0] + np.array([0.5, 0.8]) * (logs[1] - logs[0]))
    assert after[:2] == pytest.approx(expected, rel=0.02)
    assert after[2:] == pytest.approx([0.6, 0.9], abs=0.01)
    assert browser.state()["view"]["cell"] is not None


def test_a_drag_of_the_start_makes_another_map(browser: Browser, tmp_path: Path) -> None:
    image = browser.image()
    state = browser.after(
        lambda: browser.drag("contours", (0.2, 0.5), (0.3, 0.6), (0.25, 0.75)), "start"
    )
    x, y = state["view"]["start"]
    assert (x, y) == pytest.approx((-1.0, 2.0), abs=0.03)
    assert browser.image() != image
    assert browser.path()[0].tolist() == [x, y]
    (point,) = experiment_shown(browser, tmp_path).grid.start
    assert tuple(point) == (x, y)


def test_a_formula_is_typed(browser: Browser, tmp_path: Path) -> None:
    browser.after(lambda: browser.choose("objective", "formula"), "objective")
    browser.type("constants", "")
    browser.until(lambda _: "formula" in browser.text("error-objective"))

    def typed() -> None:
        browser.driver.execute_script(
            "document.getElementById('formula').value = 'x^2 + b*y^2 + x*y/3';"
        )
        browser.type("constants", "b = 7")

    state = browser.after(typed, "objective")
    assert state["view"]["objective"]["formula"] == "x^2 + b*y^2 + x*y/3"
    assert browser.text("error-objective") == ""
    shown = experiment_shown(browser, tmp_path)
    assert shown.objective == fm.Formula("x^2 + b*y^2 + x*y/3", b=7.0)


def test_a_formula_that_is_compiled_says_so(browser: Browser) -> None:
    browser.driver.execute_script(
        """
        window.notices = [];
        new MutationObserver(() => window.notices.push(document.getElementById("busy").textContent))
          .observe(document.getElementById("busy"), {childList: true, characterData: true,
                                                     subtree: true});
        """
    )
    browser.after(lambda: browser.choose("objective", "three_hump_camel"), "objective")
    notices = browser.driver.execute_script("return window.notices")
    assert any(n.startswith("compiling three_hump_camel") for n in notices), notices
    assert "compiling" not in browser.text("busy")


@pytest.mark.parametrize(
    ("formula", "said"),
    [("x^2 + z", "z"), ("x^2 +", "formula"), ("__import__('os')", "formula")],
)
def test_a_bad_formula_is_told_beside_its_field(browser: Browser, formula: str, said: str) -> None:
    browser.after(lambda: browser.choose("objective", "formula"), "objective")
    image = browser.image()
    browser.type("formula", formula)
    browser.until(lambda _: browser.text("error-objective"))
    assert said in browser.text("error-objective")
    assert browser.image() == image
    assert browser.driver.find_element(By.ID, "formula").is_displayed()


def test_history_goes_back_and_forward(browser: Browser) -> None:
    first = browser.axes()
    browser.after(lambda: browser.press("+"))
    second = browser.axes()
    browser.after(lambda: browser.press("+"))
    third = browser.axes()
    assert first != second != third
    browser.after(lambda: browser.press("b"))
    assert browser.axes() == second
    browser.after(lambda: browser.press("b"))
    assert browser.axes() == first
    browser.after(lambda: browser.press("f"))
    assert browser.axes() == second
    browser.after(lambda: browser.press("r"))
    assert browser.axes() == first


def test_a_burst_of_gestures_ends_in_the_last_of_them(browser: Browser) -> None:
    first = browser.state()["view"]["windows"]["momentum"]
    width = first[1] - first[0]
    browser.driver.execute_script(
        "for (let i = 0; i < 12; i++) { window.explorer.ask('nudge', {factor: 0.8}); }"
    )
    state = browser.until(
        lambda s: (
            s["view"]["windows"]["momentum"][1] - s["view"]["windows"]["momentum"][0]
            < 0.8**11.5 * width
        )
    )
    state = browser.settle()
    low, high = state["view"]["windows"]["momentum"]
    assert high - low == pytest.approx(0.8**12 * width)
    assert state["shown"]["map"]["kind"] == "fine"
    assert browser.axes()[2:] == [low, high]


def test_a_link_opens_the_same_view(browser: Browser, explorer: Explorer) -> None:
    browser.after(lambda: browser.choose("objective", "formula"), "objective")
    browser.after(lambda: browser.type("formula", "(a - x)^2 + b*y^2 + x*y/3"), "objective")
    browser.after(lambda: browser.wheel("map", 0.6, 0.8, 1))
    state = browser.after(lambda: browser.choose("rule", "nesterov"), "rule")
    image = browser.image()
    address = browser.driver.current_url
    assert urllib.parse.unquote(address) == explorer.url + urllib.parse.unquote(state["link"])
    browser.driver.get("about:blank")
    browser.open(address)
    assert browser.state()["view"] == state["view"]
    assert browser.image() == image


def test_a_link_that_makes_no_sense_says_so(browser: Browser, explorer: Explorer) -> None:
    browser.open(explorer.url + "?view=" + urllib.parse.quote('{"windows": {"lr": [1, 2]}}'))
    assert "the link could not be opened" in browser.text("notice")


def test_other_axes_make_another_map(browser: Browser, tmp_path: Path) -> None:
    browser.after(lambda: browser.choose("axis-y", "objective_b"), "windows")
    shown = experiment_shown(browser, tmp_path)
    assert list(shown.grid.objective or {}) == ["b"]
    browser.choose("axis-x", "start_x")
    browser.until(lambda s: "start_x" in s["view"]["windows"])
    browser.settle()
    assert browser.driver.find_element(By.ID, "fixed-lr").is_displayed()


def test_steps_and_target_are_checked(browser: Browser, tmp_path: Path) -> None:
    browser.type("steps", "many")
    browser.until(lambda _: browser.text("error-steps"))
    browser.type("steps", "1e9")
    browser.until(lambda _: "100,000" in browser.text("error-steps"))
    browser.after(lambda: browser.type("steps", "500"), "steps")
    state = browser.after(lambda: browser.type("target", ""), "target")
    assert state["view"]["target"] is None
    shown = experiment_shown(browser, tmp_path)
    assert (shown.steps, shown.stop.targets) == (500, ())


def test_where_doubles_end_it_says_so_and_stops(browser: Browser, explorer: Explorer) -> None:
    view = browser.state()["view"]
    view["windows"]["momentum"] = [0.5, 0.5 + 1e-13]
    link = json.dumps(view | {"windows": view["windows"]})
    browser.open(explorer.url + "?view=" + urllib.parse.quote(link))
    assert browser.text("end").startswith("Here doubles end")
    low, high = browser.state()["view"]["windows"]["momentum"]
    assert high - low >= 1e4 * np.spacing(0.25)
    browser.wheel("map", 0.5, 0.5, 2)
    browser.press("+")
    browser.after(lambda: browser.choose("rule", "nesterov"), "rule")  # the others came before
    assert browser.state()["view"]["windows"]["momentum"] == [low, high]
    assert browser.axes()[2:] == [low, high]
    assert browser.text("end").startswith("Here doubles end")
    browser.driver.execute_script("document.activeElement.blur()")  # letters choose in a list
    browser.press("r")
    browser.until(lambda s: s["view"]["windows"]["momentum"] == [0.0, 1.0])
    browser.settle()
    assert browser.text("end") == ""


def test_two_pages_at_once(browser: Browser, driver: WebDriver, explorer: Explorer) -> None:
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    second = Browser(driver)
    second.open(explorer.url)
    second.after(lambda: second.press("+"))
    there = second.axes()
    driver.switch_to.window(first)
    assert browser.axes() != there
    browser.after(lambda: browser.press("-"))
    driver.switch_to.window(driver.window_handles[-1])
    assert second.axes() == there
    driver.close()
    driver.switch_to.window(first)


def test_a_results_file_shows_its_map_and_its_paths(
    driver: WebDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastmomentum.explorer import maps

    experiment = fm.Experiment(
        objective=fm.Rosenbrock(), rule="momentum", steps=300,
        grid=fm.Grid(
            lr=fm.Axis(logspace=(1e-4, 1e-2), num=20), momentum=fm.Axis(linspace=(0, 0.98), num=15),
            start=[(-1.2, 1)],
        ),
        record=fm.Record(every=3), stop=fm.Stop(targets=[1e-3]),
    )  # fmt: skip
    file = tmp_path / "map.h5"
    ds = fm.run(experiment, file)
    computed: list[object] = []
    plain = maps.run_unless
    monkeypatch.setattr(maps, "run_unless", lambda *given: computed.append(given) or plain(*given))
    server, thread = in_background(Source(file), port=0)
    try:
        page = Browser(driver)
        page.open(server.url)
        state = page.state()
        assert state["shown"]["map"]["kind"] == "file"
        assert computed == []
        page.click("map", 0.6, 0.6)
        state = page.until(lambda s: s["view"]["cell"] != state["view"]["cell"])
        page.until(lambda s: s["shown"]["path"]["stored"])
        lr, momentum = state["view"]["cell"]
        cell = fm.select_cell(ds, lr=lr, momentum=momentum)
        assert (float(cell.lr), float(cell.momentum)) == (lr, momentum)
        stored = cell.trajectory.values[cell.step.values <= int(cell.n_steps)]
        assert np.array_equal(page.path()[: len(stored)], stored)
        state = page.after(lambda: page.press("+"))
        assert state["shown"]["map"]["kind"] == "fine"
        assert computed
    finally:
        server.stop()
        thread.join()


@not_on_windows  # there a signal is sent to a whole console
def test_the_server_ends_on_ctrl_c(driver: WebDriver, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fastmomentum", "explore", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
        cwd=tmp_path,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        line = server.stdout.readline()
        assert "http://127.0.0.1:" in line, server.stderr and server.stderr.read()
        url = next(word for word in line.split() if word.startswith("http"))
        page = Browser(driver)
        page.open(url)
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=PATIENCE)
    driver.get("about:blank")
    assert server.returncode == 0
    assert err == ""
    assert "stopped" in out


def test_the_text_of_the_page_is_an_experiment_file(browser: Browser, tmp_path: Path) -> None:
    text = browser.text("toml")
    assert tomllib.loads(text)["objective"]["name"] == "rosenbrock"
    again = tmp_path / "again.toml"
    again.write_text(text, encoding="utf-8")
    state = browser.state()
    windows = Source(again).view.windows
    for name, (low, high) in windows.items():
        assert (low, high) == pytest.approx(tuple(state["view"]["windows"][name]), rel=1e-12)
