"""Hands at the explorer's page: fingers, keys, and gestures that follow each other fast."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

import fastmomentum as fm

pytest.importorskip("bokeh", reason="the extra explore is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver import ActionChains, Keys

from fastmomentum.explorer import maps
from fastmomentum.explorer.plane import PALETTE
from fastmomentum.explorer.serving import Explorer
from tests.explorer.browsing import PATIENCE, Browser, needs_chromium, started

pytestmark = [needs_chromium, pytest.mark.slow]

ARROWS = {
    Keys.ARROW_RIGHT: (0.2, 0.0), Keys.ARROW_LEFT: (-0.2, 0.0), Keys.ARROW_DOWN: (0.0, -0.2),
    Keys.ARROW_UP: (0.0, 0.2),
}  # fmt: skip


def widths(axes: list[float]) -> tuple[float, float]:
    """Of a window: of the learning rate in the logarithm, of the momentum."""
    return float(np.log(axes[1] / axes[0])), axes[3] - axes[2]


def test_fingers_tap_a_path_and_pinch_to_zoom(explorer: Explorer) -> None:
    driver = started()  # of its own: Chromium forgets fingers where a page is loaded again
    try:
        page = Browser(driver)
        page.open(explorer.url)
        cell, windows = page.state()["view"]["cell"], page.state()["view"]["windows"]
        page.touch([page.place("map", 0.4, 0.9)])
        time.sleep(0.05)  # as long as a finger stays
        page.touch([])
        state = page.until(lambda s: s["view"]["cell"] != cell)
        assert state["view"]["windows"] == windows
        before, spot = page.axes(), page.place("map", 0.6, 0.6)
        page.after(lambda: page.pinch(spot, 30, 90))
        after = page.axes()
        assert before[0] < after[0] < after[1] < before[1]
        assert before[2] < after[2] < after[3] < before[3]
        assert widths(after)[1] < 0.8 * widths(before)[1]
    finally:
        driver.quit()


@pytest.mark.parametrize("key", ARROWS)
def test_arrows_move_the_map(browser: Browser, key: str) -> None:
    browser.after(lambda: browser.press("+"))
    before = browser.axes()
    browser.after(lambda: browser.press(key))
    after, (right, up) = browser.axes(), ARROWS[key]
    across, high = widths(before)
    assert np.log(np.array(after[:2]) / before[:2]) == pytest.approx(right * across, abs=1e-9)
    assert np.subtract(after[2:], before[2:]) == pytest.approx(up * high, abs=1e-9)


def test_keys_choose_what_dragging_does(browser: Browser) -> None:
    for key, mode in (("x", "box"), ("m", "pan"), ("p", "path")):
        browser.press(key)
        assert browser.state()["mode"] == mode
        pressed = browser.driver.execute_script(
            "return document.querySelector('[aria-pressed=true]').dataset.mode"
        )
        assert pressed == mode
    before = browser.axes()
    browser.press("m")
    browser.after(lambda: browser.drag("map", (0.5, 0.5), (0.55, 0.5), (0.6, 0.5)))
    assert widths(browser.axes()) == pytest.approx(widths(before))
    assert browser.axes()[0] < before[0]


def test_a_key_hides_theory(browser: Browser) -> None:
    assert browser.state()["theory"]
    browser.press("t")
    browser.until(lambda s: not s["theory"] and not s["view"]["theory"])
    browser.press("t")
    browser.until(lambda s: s["theory"])


def test_the_page_can_be_used_without_a_mouse(browser: Browser) -> None:
    reached = set()
    browser.driver.execute_script("document.activeElement.blur()")
    for _ in range(60):
        ActionChains(browser.driver, duration=0).send_keys(Keys.TAB).perform()
        reached.add(
            browser.driver.execute_script(
                "const e = document.activeElement; return e.id || e.dataset.do || e.dataset.mode"
            )
        )
    assert {"objective", "rule", "steps", "start-x", "theory", "box", "in", "link"} <= reached


def test_letters_that_are_typed_are_no_keys(browser: Browser) -> None:
    before = browser.axes()
    browser.driver.find_element("id", "target").send_keys("b+rx")
    assert browser.state()["mode"] == "path"
    assert browser.axes() == before


def test_the_pixels_have_the_colours_of_their_cells(browser: Browser) -> None:
    browser.after(lambda: browser.wheel("map", 0.6, 0.8, 2))
    seen = browser.model(
        """
        const canvas = document.getElementById("pixels"), codes = cells.data.image[0];
        const [height, width] = codes.shape, found = [];
        const context = canvas.getContext("2d");
        for (const right of [0.1, 0.35, 0.6, 0.9]) {
          for (const up of [0.1, 0.5, 0.7, 0.95]) {
            const i = Math.floor(right * width), j = Math.floor(up * height);
            const x = Math.floor((i + 0.5) / width * canvas.width);
            const y = Math.floor((1 - (j + 0.5) / height) * canvas.height);
            found.push([codes[j * width + i], Array.from(context.getImageData(x, y, 1, 1).data)]);
          }
        }
        return found;
        """
    )
    assert len({code for code, _ in seen}) > 2
    for code, (red, green, blue, alpha) in seen:
        assert (f"#{red:02x}{green:02x}{blue:02x}", alpha) == (PALETTE[code], 255)


class Held:
    """Fine maps that take until they are given up, or let go: a machine may be fast."""

    def __init__(self) -> None:
        self.plain = maps.run_unless
        self.ends: list[tuple[int, bool]] = []
        self.began, self.let_go = threading.Event(), threading.Event()

    def __call__(self, experiment, executor, workers, stopped, halfway=None):
        results = None
        if self.is_fine(experiment) and not self.let_go.is_set():
            self.began.set()
            until = time.monotonic() + PATIENCE
            while not stopped() and time.monotonic() < until:
                self.let_go.wait(0.005)  # between two checks, as between two blocks
        else:
            results = self.plain(experiment, executor, workers, stopped, halfway)
        self.ends.append((experiment.grid.n_runs, results is not None))
        return results

    @staticmethod
    def is_fine(experiment: fm.Experiment) -> bool:
        return experiment.grid.n_runs > 50_000

    def await_fine(self) -> None:
        assert self.began.wait(PATIENCE)
        self.began.clear()


def test_newer_gestures_give_up_older_maps(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()
    monkeypatch.setattr(maps, "run_unless", held)
    for _ in range(3):
        browser.wheel("map", 0.6, 0.8, 1)
        held.await_fine()
    held.let_go.set()
    browser.after(lambda: browser.wheel("map", 0.6, 0.8, 1))
    fine = [is_whole for size, is_whole in held.ends if size > 50_000]
    assert fine == [False, False, False, True]
    state = browser.state()
    nx, ny = state["shown"]["map"]["cells"]
    assert held.ends[-1] == (nx * ny, True)
    assert list(state["view"]["windows"]["momentum"]) == browser.axes()[2:]


def test_a_path_is_drawn_while_a_map_is_computed(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()
    monkeypatch.setattr(maps, "run_unless", held)
    browser.wheel("map", 0.6, 0.8, 1)
    held.await_fine()
    state = browser.until(lambda s: s["shown"]["map"]["kind"] == "coarse")
    assert state["shown"]["busy"]
    old, path = state["view"]["cell"], browser.path()
    browser.click("map", 0.3, 0.9)
    browser.until(lambda s: s["view"]["cell"] != old)
    browser.until(lambda s: not np.array_equal(browser.path(), path))
    assert browser.state()["shown"]["map"]["kind"] == "coarse"
    assert not any(size > 50_000 for size, _ in held.ends)  # nor was the map given up
    held.let_go.set()
    browser.after(lambda: browser.press("+"))


def test_a_phone_shows_all_of_the_page(browser: Browser) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.until(lambda s: browser.model("return map.inner_width") < 390)
        browser.settle()
        wide = "return document.documentElement.scrollWidth"
        assert browser.driver.execute_script(wide) == 390
        for name in ("map", "contours", "loss", "objective", "rule", "steps", "toml"):
            box = browser.driver.find_element("id", name).rect
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 390, name
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
