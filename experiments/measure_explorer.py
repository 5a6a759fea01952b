"""Measure how long the explorer's page takes from a gesture to its pictures, in a real browser.

Turns the wheel over the map of Rosenbrock's function (2,000 updates) in headless Chromium, and
prints medians of the time from there to each stage: the gesture heard, the coarse map computed and
on the screen, where the machine is busy the map halfway, the fine one; and what the runs of the
first map take without a page. With --zoomed 8 it does so in the boundary, where neighbouring runs
differ. With --memory it zooms for so many minutes, and prints the memory of the server and of the
page over time. With --film it takes pictures of a zoom into the boundary, and makes a GIF of them.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

import fastmomentum as fm
from fastmomentum.explorer.maps import Engine
from fastmomentum.explorer.session import Session
from fastmomentum.explorer.showing import Showing
from fastmomentum.explorer.view import first_view

LISTEN = """
window.seen = [];
const now = () => performance.timeOrigin + performance.now();
const map = Bokeh.documents[0].roots().find((r) => r.name === "map");
const cells = map.tags.find((s) => "image" in (s.data || {}));
document.addEventListener("wheel", () => { window.seen = [["wheel", now()]]; },
                          {capture: true, passive: true});
cells.properties.data.change.connect(() => {
  const seen = window.seen;
  seen.push(["arrived", now()]);
  requestAnimationFrame(() => setTimeout(() => seen.push(["on the screen", now()])));
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
    made.set_script_timeout(600)  # seconds: the machine may be busy
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


class Stages:
    """When each stage of an answer was reached, in the server and in the page."""

    def __init__(self) -> None:
        self.marks: list[tuple[str, float]] = []
        self._around(Session, "_apply", "taken up", "checked")
        self._around(Engine, "map", "", "computed")
        self._around(Showing, "_show", "", "coloured")
        self._around(Showing, "_details", "", "theory, TOML and link told")

    def _around(self, kind: type, name: str, before: str, after: str) -> None:
        plain: Callable[..., Any] = getattr(kind, name)

        def marked(*given: Any) -> Any:
            self._mark(before)
            made = plain(*given)
            self._mark(after)
            return made

        setattr(kind, name, marked)

    def _mark(self, name: str) -> None:
        if name:
            self.marks.append((name, 1e3 * time.time()))

    def of_gesture(self, seen: list[list[Any]]) -> dict[str, float]:
        """Milliseconds from the gesture to each stage; the n-th of a name is of the n-th map."""
        begun = seen[0][1]
        found: dict[str, float] = {}
        count: dict[str, int] = {}
        for name, at in sorted([*self.marks, *map(tuple, seen[1:])], key=lambda mark: mark[1]):
            number = count[name] = count.get(name, 0) + 1
            single = name in ("taken up", "checked") or name.startswith("theory")
            found[name if single else f"map {number} {name}"] = at - begun
        return found


def measure(page: webdriver.Chrome, gestures: int, stages: Stages) -> dict[str, list[float]]:
    """Milliseconds from each gesture to the stages of its answer."""
    page.execute_script(LISTEN)
    found: dict[str, list[float]] = {}
    for number in range(gestures):
        stages.marks.clear()
        wheel(page, 0.6, 0.8, -120 if number % 2 == 0 else 120)
        time.sleep(0.3)  # until it is taken up, or the page would look settled
        settle(page)
        time.sleep(0.2)  # the last messages have their time, so that gestures do not overlap
        seen = page.execute_script("return window.seen")
        for name, took in stages.of_gesture(seen).items():
            found.setdefault(name, []).append(took)
    return found


def runs_alone(nx: int, ny: int) -> None:
    """Print what the runs of the first map take without a page."""
    engine, experiment = Engine(), first_view().experiment(nx, ny)
    engine.compile(experiment)
    for name, make in (
        ("the explorer's engine", lambda: engine.map(experiment, lambda: False)),
        ("fm.run", lambda: fm.run(experiment)),
    ):
        walls, cores = [], []
        for _ in range(9):
            wall, core = time.perf_counter(), time.process_time()
            make()
            walls.append(time.perf_counter() - wall)
            cores.append(time.process_time() - core)
        took, used = (1e3 * statistics.median(times) for times in (walls, cores))
        print(f"{took:6.0f} ms ({used:.0f} ms of a core): {nx} x {ny} runs by {name}, no page")
    engine.close()


def memory(minutes: float) -> None:
    """Zoom in and out for so long, and print the memory of the server and of the page."""
    command = [sys.executable, "-m", "fastmomentum", "explore", "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found = re.search(r"http://\S+/", server.stdout.readline())
    assert found is not None
    page = browser(1280, 720)
    rows: list[tuple[float, float]] = []
    try:
        page.get(found[0])
        settle(page)
        page.execute_cdp_cmd("Performance.enable", {})
        begun, gestures = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < 60 * minutes:
            for _ in range(20):
                wheel(page, 0.8, 0.93, -120 if gestures % 40 < 20 else 120)
                gestures += 1
                time.sleep(0.03)  # a hand's pace: faster than maps are made
            if gestures % 200 == 0:
                settle(page)
            if passed >= len(rows) * 15:
                rows.append((passed / 3600, resident(server.pid)))
                print(f"{passed:5.0f} s, {gestures:6,} gestures: {rows[-1][1]:.1f} MB", flush=True)
                metrics = page.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
                used = next(m["value"] for m in metrics if m["name"] == "JSHeapUsedSize")
                print(f"    the page's heap {used / 1e6:.1f} MB", flush=True)
        late = rows[len(rows) // 2 :]
        slope, _ = statistics.linear_regression(*zip(*late, strict=True))
        print(f"the server in the second half: {slope:+.1f} MB an hour")
    finally:
        page.quit()
        server.send_signal(signal.SIGINT)
        server.wait()


def resident(process: int) -> float:
    """Memory that a process holds, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6


def into_the_boundary(page: webdriver.Chrome) -> None:
    """Turn the wheel where runs that converge and runs that diverge lie side by side."""
    wheel(page, 0.758, 0.952, -120)
    time.sleep(0.5)  # until it is taken up, or the page would look settled
    settle(page)


def film(page: webdriver.Chrome, path: Path, frames: int) -> None:
    """Zoom into the boundary, and keep what is seen."""
    kept: list[Image.Image] = []
    for number in range(frames):
        if number:
            into_the_boundary(page)
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
    parser.add_argument(
        "--zoomed", type=int, default=0, metavar="N", help="turn the wheel N times first [0]"
    )
    parser.add_argument("--film", type=Path, help="keep a film of a zoom, GIF")
    parser.add_argument("--frames", type=int, default=16, help="pictures of the film [16]")
    parser.add_argument("--size", default="1280x720", help="of the page in pixels [1280x720]")
    parser.add_argument("--memory", type=float, metavar="MINUTES", help="zoom for so long instead")
    parser.add_argument("--dark", action="store_true", help="the page in its dark colours")
    parser.add_argument("file", nargs="?", help="what the explorer begins with")
    words = parser.parse_args()
    if words.memory:
        memory(words.memory)
        return
    stages = Stages()
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
        for _ in range(words.zoomed):
            into_the_boundary(page)
        if words.gestures:
            took = measure(page, words.gestures, stages)
            for name, times in sorted(took.items(), key=lambda one: statistics.median(one[1])):
                if len(times) > words.gestures / 2:
                    low, middle, high = statistics.quantiles(times, n=4)
                    print(f"{middle:6.0f} ms (quartiles {low:.0f} and {high:.0f}): {name}")
            nx, ny = settle(page)["shown"]["map"]["cells"]
            print(f"fine map: {nx} x {ny} runs; {words.gestures} gestures")
    finally:
        page.quit()
        explorer.stop()
    if words.gestures:
        runs_alone(nx, ny)


if __name__ == "__main__":
    main()
