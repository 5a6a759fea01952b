"""Measure how long the explorer's page takes from a gesture to its pictures, in a real browser.

Turns the wheel over the map of Rosenbrock's function (2,000 updates) in headless Chromium, and
prints medians of the time to the coarse and to the fine map on the screen. With --film it also
takes the pictures of a zoom into the boundary, and makes a GIF of them.
"""

from __future__ import annotations

import argparse
import io
import shutil
import statistics
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

import fastmomentum as fm

LISTEN = """
window.took = [];
const roots = Bokeh.documents[0].roots(), map = roots.find((r) => r.name === "map");
const cells = map.tags.find((s) => "image" in (s.data || {}));
document.addEventListener("wheel", () => { window.begun = performance.now(); window.took = []; },
                          {capture: true, passive: true});
cells.properties.data.change.connect(() => {
  const begun = window.begun, took = window.took;
  requestAnimationFrame(() => setTimeout(() => took.push(performance.now() - begun)));
});
"""
SPOT = """
const plot = Bokeh.documents[0].roots().find((r) => r.name === "map");
const view = Bokeh.index.get_one(plot), box = view.el.getBoundingClientRect();
const frame = view.frame.bbox;
return [box.left + frame.left + arguments[0] * frame.width,
        box.top + frame.top + (1 - arguments[1]) * frame.height];
"""


def browser(width: int, height: int, is_dark: bool = False) -> webdriver.Chrome:
    """Start headless Chromium with a page of so many pixels."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(word)
    made = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    made.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
    made.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    return made


def settle(page: webdriver.Chrome) -> dict[str, Any]:
    """Wait until the map is finished; gives what the page knows."""

    def finished(_: object) -> dict[str, Any] | None:
        known: dict[str, Any] | None = page.execute_script(
            "return window.explorer ? window.explorer.state() : null"
        )
        is_there = known and known["shown"].get("map") and known["shown"].get("path")
        return known if known and is_there and not known["shown"]["busy"] else None

    known: dict[str, Any] = WebDriverWait(page, 120, poll_frequency=0.02).until(finished)
    return known


def wheel(page: webdriver.Chrome, right: float, up: float, delta: int) -> None:
    """Turn the wheel once over a spot of the map."""
    x, y = page.execute_script(SPOT, right, up)
    event = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": delta}
    page.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def measure(page: webdriver.Chrome, gestures: int) -> tuple[list[float], list[float], list[int]]:
    """Milliseconds from each gesture to its coarse and its fine picture; cells of the latter."""
    page.execute_script(LISTEN)
    coarse, fine = [], []
    for number in range(gestures):
        wheel(page, 0.6, 0.8, -120 if number % 2 == 0 else 120)
        took = WebDriverWait(page, 60, poll_frequency=0.02).until(
            lambda _: page.execute_script("return window.took.length > 1 ? window.took : null")
        )
        coarse.append(took[0])
        fine.append(took[1])
        settle(page)
    return coarse, fine, settle(page)["shown"]["map"]["cells"]


def film(page: webdriver.Chrome, path: Path, frames: int) -> None:
    """Zoom into the boundary, and keep what is seen."""
    kept: list[Image.Image] = []
    for number in range(frames):
        if number:
            wheel(page, 0.8, 0.945, -120)
            settle(page)
        picture = Image.open(io.BytesIO(page.get_screenshot_as_png())).convert("RGB")
        size = (picture.width * 5 // 8, picture.height * 5 // 8)
        kept.append(picture.resize(size, Image.Resampling.LANCZOS))
    plain = [one.quantize(255, dither=Image.Dither.NONE) for one in kept]
    times = [900, *[260] * (len(plain) - 2), 1800]
    plain[0].save(path, save_all=True, append_images=plain[1:], duration=times, loop=0)


def main() -> None:
    """Measure, and print; draw what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--gestures", type=int, default=40, help="how many [40]")
    parser.add_argument(
        "--picture", type=Path, help="keep a picture of the page, such as explorer.png"
    )
    parser.add_argument("--film", type=Path, help="keep a film of a zoom, GIF")
    parser.add_argument("--frames", type=int, default=16, help="pictures of the film [16]")
    parser.add_argument("--size", default="1280x720", help="of the page in pixels [1280x720]")
    parser.add_argument("--dark", action="store_true", help="the page in its dark colours")
    parser.add_argument("file", nargs="?", help="what the explorer begins with")
    words = parser.parse_args()
    width, height = map(int, words.size.split("x"))
    explorer = fm.explore(words.file, port=0)
    page = browser(width, height, words.dark)
    try:
        page.get(explorer.url)
        settle(page)
        if words.picture:
            page.save_screenshot(str(words.picture))
        if words.film:
            film(page, words.film, words.frames)
        if words.gestures:
            coarse, fine, (nx, ny) = measure(page, words.gestures)
            for name, took in (("coarse", coarse), ("fine", fine)):
                low, middle, high = statistics.quantiles(took, n=4)
                print(f"{name}: {middle:.0f} ms (quartiles {low:.0f} and {high:.0f})")
            print(f"fine map: {nx} x {ny} runs; {len(coarse)} gestures")
    finally:
        page.quit()
        explorer.stop()


if __name__ == "__main__":
    main()
