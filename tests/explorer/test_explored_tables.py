"""The explorer's form and what is taken away from its page: schedules, noise, files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastmomentum as fm
from fastmomentum.schedules import Schedule

pytest.importorskip("bokeh", reason="the extra explore is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from fastmomentum.explorer.serving import in_background
from fastmomentum.explorer.source import Source
from tests.explorer.browsing import PATIENCE, Browser, experiment_shown, needs_chromium
from tests.explorer.test_explorer_sources import plan

pytestmark = needs_chromium


def opened(page: Browser, part: str) -> None:
    page.driver.execute_script("document.getElementById(arguments[0]).open = true", part)


def changed(page: Browser, act: Callable[[], object], what: str) -> dict[str, object]:
    """Do something, and wait until a further table of the view is another, and the map whole."""

    def table(state: dict) -> object:
        return state["view"].get("others", {}).get(what)

    old = table(page.state())
    act()
    page.until(lambda s: table(s) != old)
    return page.settle()["view"]


def test_a_schedule_is_chosen_and_its_numbers_are_set(browser: Browser, tmp_path: Path) -> None:
    opened(browser, "schedules")
    image = browser.image()
    view = changed(browser, lambda: browser.choose("schedule-lr", "cosine"), "schedule")
    assert view["others"] == {"schedule": {"lr": {"kind": "cosine", "steps": 2000}}}
    assert browser.image() != image
    assert "cos" in browser.text("equation-lr")
    changed(browser, lambda: browser.type("numbers-lr-final", "0.25"), "schedule")
    shown = experiment_shown(browser, tmp_path)
    assert shown.schedule == Schedule(lr={"kind": "cosine", "steps": 2000, "final": 0.25})
    before = browser.state()["view"]
    browser.open(browser.driver.current_url)  # the link
    assert browser.state()["view"] == before
    opened(browser, "schedules")
    browser.type("numbers-lr-final", "-1")
    browser.until(lambda _: browser.text("error-schedule"))
    assert "schedule.lr.final must" in browser.text("error-schedule")
    view = changed(browser, lambda: browser.choose("schedule-lr", ""), "schedule")
    assert "others" not in view


def test_a_schedule_of_the_momentum_takes_its_axis(browser: Browser, tmp_path: Path) -> None:
    opened(browser, "schedules")
    view = changed(browser, lambda: browser.choose("schedule-momentum", "nesterov"), "schedule")
    assert "momentum" not in view["names"]
    shown = experiment_shown(browser, tmp_path)
    assert shown.has_momentum_schedule
    assert shown.grid.momentum is None
    view = changed(browser, lambda: browser.choose("schedule-momentum", ""), "schedule")
    assert list(view["windows"]) == ["lr", "momentum"]


def test_noise_and_its_seed(browser: Browser, tmp_path: Path) -> None:
    opened(browser, "schedules")
    browser.type("seed", "3")
    browser.until(lambda _: "nothing is random" in browser.text("error-seed"))
    changed(browser, lambda: browser.type("noise", "0.05"), "noise")
    first = browser.image()
    changed(browser, lambda: browser.type("seed", "3"), "grid")
    assert browser.image() != first
    shown = experiment_shown(browser, tmp_path)
    assert shown.noise is not None
    assert (shown.noise.gaussian, list(shown.grid.seeds)) == (0.05, [3])
    ds = fm.run(shown)
    data = browser.driver.execute_script("return window.explorer.map_data()")
    assert np.array_equal(data["status"], ds.status.values.T.ravel())
    browser.type("noise", "-1")
    browser.until(lambda _: browser.text("error-noise"))
    view = changed(browser, lambda: browser.type("noise", ""), "noise")
    assert "others" not in view


@pytest.mark.parametrize("kind", ["noise", "batches"])
def test_random_results_are_shown_and_zoomed_into(
    driver: WebDriver, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "random.h5"
    fm.run(plan(kind), file).close()
    source = Source(file)
    server, thread = in_background(source, port=0)
    try:
        page = Browser(driver)
        page.open(server.url)
        assert page.state()["shown"]["map"]["kind"] == "file"
        assert page.driver.find_element("id", "seed").get_property("value") == "3"
        state = page.after(lambda: page.press("+"))
        assert state["shown"]["map"]["kind"] == "fine"
        assert page.text("error-map") == ""
        data = page.driver.execute_script("return window.explorer.map_data()")
        windows = {name: tuple(ends) for name, ends in state["view"]["windows"].items()}
        shown = source.view.changed(windows=windows).experiment(*state["shown"]["map"]["cells"])
        ds = fm.run(shown)
        assert np.array_equal(data["status"], ds.status.values[0, ..., 0].T.ravel())
        assert ("points.csv" in page.text("toml")) is (kind == "batches")
        if kind == "noise":
            assert experiment_shown(page, tmp_path).canonical == shown.canonical
    finally:
        driver.get("about:blank")  # the page would say that its server is gone
        server.stop()
        thread.join()


def test_what_was_refused_stays_to_be_mended(browser: Browser) -> None:
    browser.after(lambda: browser.choose("objective", "formula"), "objective")
    browser.type("formula", "x^2 + 3*y^")
    browser.until(lambda _: browser.text("error-objective"))
    typed = browser.driver.find_element("id", "formula").get_property("value")
    assert typed == "x^2 + 3*y^"


def fetched(page: Browser, button: str, folder: Path) -> Path:
    """The file that a button of the page saves."""
    page.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
    )
    page.driver.find_element("css selector", button).click()

    def whole(_: object) -> Path | None:
        found = [one for one in folder.iterdir() if one.suffix in (".h5", ".png", ".toml")]
        return found[0] if found else None

    return WebDriverWait(page.driver, PATIENCE, poll_frequency=0.05).until(whole)


def test_the_data_are_the_run(browser: Browser, tmp_path: Path) -> None:
    browser.after(lambda: browser.press("+"))
    shown = experiment_shown(browser, tmp_path)
    folder = tmp_path / "fetched"
    folder.mkdir()
    file = fetched(browser, "[data-do=data]", folder)
    with fm.open(file) as ds:
        made = fm.run(shown)
        assert ds.sizes == made.sizes
        for name in ("status", "hit_step", "n_steps", "final", "final_loss", "lr", "momentum"):
            assert np.array_equal(ds[name].values, made[name].values, equal_nan=True), name
    data = browser.driver.execute_script("return window.explorer.map_data()")
    assert np.array_equal(data["steps"], made.hit_step.isel(start=0, target=-1).values.T.ravel())


def test_the_text_is_saved_as_a_file(browser: Browser, tmp_path: Path) -> None:
    opened(browser, "file")
    file = fetched(browser, "#save-toml", tmp_path)
    assert file.read_text(encoding="utf-8") == browser.text("toml")


def test_the_picture_is_one_of_the_map(browser: Browser, tmp_path: Path) -> None:
    file = fetched(browser, "[data-do=picture]", tmp_path)
    with Image.open(file) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 300
        assert len(picture.convert("RGB").getcolors(2**24)) > 50
