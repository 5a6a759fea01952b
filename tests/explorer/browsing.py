"""A page of the explorer in a real browser, as a hand and an eye have it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm

pytest.importorskip("bokeh", reason="the extra explore is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")

from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="Chromium or its chromedriver is not installed"
)

PATIENCE = float(os.environ.get("FASTMOMENTUM_TEST_PATIENCE", "240"))
"""Seconds until a condition must hold: compiling on a busy machine takes its time."""


def started() -> WebDriver:
    """Chromium without a screen."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,720"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(str(DRIVER)))


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

    def place(self, place: str, right: float, up: float) -> tuple[float, float]:
        """A spot within the frame of a drawing, in pixels of the page."""
        element, x, y = self.at(place, right, up)
        box = element.rect
        scrolled = self.driver.execute_script("return window.scrollY")
        return box["x"] + box["width"] / 2 + x, box["y"] - scrolled + box["height"] / 2 + y

    def touch(self, spots: list[tuple[float, float]], kind: str = "touchStart") -> None:
        """Fingers on the page; none lifts them."""
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(spots)]
        event = {"type": kind if spots else "touchEnd", "touchPoints": points}
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)

    def pinch(self, spot: tuple[float, float], begin: float, end: float) -> None:
        """Two fingers go apart about a spot, from so many pixels beside it to so many."""
        (x, y), steps = spot, 6
        for number in range(steps + 1):
            away = begin + (end - begin) * number / steps
            kind = "touchMove" if number else "touchStart"
            self.touch([(x - away, y - away), (x + away, y + away)], kind)
        self.touch([])

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


def experiment_shown(page: Browser, folder: Path) -> fm.Experiment:
    """The experiment that the page writes down."""
    file = folder / "shown.toml"
    file.write_text(page.text("toml"), encoding="utf-8")
    return fm.load(file)
