"""The page of the explorer in a real browser: gestures, and what they change."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm

pytest.importorskip("bokeh", reason="the extra explore is not installed")
selenium = pytest.importorskip("selenium", reason="selenium is not installed")

from selenium import webdriver  # noqa: E402
from selenium.webdriver import ActionChains, Keys  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.remote.webdriver import WebDriver  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

from fastmomentum.explorer.serving import Explorer, in_background  # noqa: E402
from fastmomentum.explorer.source import Source  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="Chromium or its chromedriver is not installed"
)

PATIENCE = float(os.environ.get("FASTMOMENTUM_TEST_PATIENCE", "240"))
"""Seconds until a condition must hold: compiling on a busy machine takes its time."""


class Browser:
    """A page of the explorer, as a hand and an eye have it."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)
        self.settle()

    def state(self) -> dict[str, Any]:
        return self.driver.execute_script("return window.explorer.state()")

    def until(self, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait until something holds of what the page knows."""

        def held(_: WebDriver) -> dict[str, Any] | None:
            known = self.driver.execute_script(
                "return window.explorer ? window.explorer.state() : null"
            )
            return known if known and known["view"] and holds(known) else None

        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(held)

    def settle(self) -> dict[str, Any]:
        """Wait for the map, finished."""
        return self.until(
            lambda s: s["shown"].get("map") and not s["shown"]["busy"] and s["shown"].get("path")
        )

    def after(self, act: Callable[[], Any], known: str = "windows") -> dict[str, Any]:
        """Do something, and wait for the map of the view that it leads to."""
        old = self.state()["view"][known]
        act()
        self.until(lambda s: s["view"][known] != old)
        return self.settle()

    def model(self, code: str) -> Any:
        """What the page's drawings hold: `code` may use map, contours, steps, cells, path."""
        return self.driver.execute_script(
            """
            const roots = Object.fromEntries(Bokeh.documents[0].roots().map((r) => [r.name, r]));
            const {map, contours, loss} = roots;
            const cells = map.tags.find((s) => "image" in (s.data || {})), path = contours.renderers
              .filter((r) => r.glyph.type === "Line")[0].data_source;
            return (() => { """
            + code
            + " })();"
        )

    def axes(self) -> list[float]:
        return self.model(
            "return [map.x_range.start, map.x_range.end, map.y_range.start, map.y_range.end]"
        )

    def image(self) -> list[int]:
        return self.model("return Array.from(cells.data.image[0])")

    def path(self) -> np.ndarray:
        return np.array(self.model("return [Array.from(path.data.x), Array.from(path.data.y)]")).T

    def at(self, place: str, right: float, up: float) -> tuple[Any, int, int]:
        """A spot within the frame of a drawing, as parts of it, for ActionChains."""
        element = self.driver.find_element(By.ID, place)
        box = self.model(
            f"""
            const view = Bokeh.index.get_one(Bokeh.documents[0].get_model_by_name("{place}"));
            const inner = view.frame.bbox, outer = view.el.getBoundingClientRect();
            const whole = document.getElementById("{place}").getBoundingClientRect();
            return [outer.left - whole.left + inner.left, outer.top - whole.top + inner.top,
                    inner.width, inner.height, whole.width, whole.height];
            """
        )
        left, top, width, height, whole, tall = box
        return (
            element,
            round(left + right * width - whole / 2),
            round(top + (1 - up) * height - tall / 2),
        )

    def wheel(self, place: str, right: float, up: float, ticks: int) -> None:
        element, x, y = self.at(place, right, up)
        origin = ScrollOrigin.from_element(element, x, y)
        ActionChains(self.driver, duration=0).scroll_from_origin(origin, 0, -120 * ticks).perform()

    def click(self, place: str, right: float, up: float) -> None:
        element, x, y = self.at(place, right, up)
        ActionChains(self.driver, duration=0).move_to_element_with_offset(
            element, x, y
        ).click().perform()

    def drag(self, place: str, *spots: tuple[float, float]) -> None:
        chain = ActionChains(self.driver, duration=20)
        for number, (right, up) in enumerate(spots):
            element, x, y = self.at(place, right, up)
            chain = chain.move_to_element_with_offset(element, x, y)
            chain = chain.click_and_hold() if number == 0 else chain
        chain.release().perform()

    def press(self, keys: str) -> None:
        ActionChains(self.driver, duration=0).send_keys(keys).perform()

    def type(self, field: str, text: str) -> None:
        element = self.driver.find_element(By.ID, field)
        element.send_keys(Keys.CONTROL, "a")
        element.send_keys(Keys.DELETE, text, Keys.TAB)

    def text(self, element: str) -> str:
        return self.driver.find_element(By.ID, element).get_attribute("textContent") or ""

    def choose(self, field: str, value: str) -> None:
        Select(self.driver.find_element(By.ID, field)).select_by_value(value)


@pytest.fixture(scope="module")
def driver() -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,720"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield made
    made.quit()


@pytest.fixture(scope="module")
def explorer() -> Iterator[Explorer]:
    server, thread = in_background(Source(), port=0)
    yield server
    server.stop()
    thread.join()


@pytest.fixture
def browser(driver: WebDriver, explorer: Explorer) -> Iterator[Browser]:
    driver.get_log("browser")  # what a server that ended left behind
    page = Browser(driver)
    page.open(explorer.url)
    yield page
    loud = [line for line in driver.get_log("browser") if line["level"] == "SEVERE"]
    assert not loud


def experiment_shown(page: Browser, folder: Path) -> fm.Experiment:
    """The experiment that the page writes down."""
    file = folder / "shown.toml"
    file.write_text(page.text("toml"), encoding="utf-8")
    return fm.load(file)


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
    browser.after(lambda: browser.press("+"))
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
    assert "the link was not followed" in browser.text("notice")


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
    before = browser.axes()[2:]
    browser.wheel("map", 0.5, 0.5, 2)
    browser.press("r")
    browser.until(lambda s: s["view"]["windows"]["momentum"] == [0.0, 1.0])
    browser.settle()
    assert browser.text("end") == ""
    assert before[1] > before[0]


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
