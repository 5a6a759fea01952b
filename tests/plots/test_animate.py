"""A run in motion: which steps are shown, and what is written or played."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backend_bases import CloseEvent, KeyEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.cli.films import DPI

FFMPEG, CHROMIUM = shutil.which("ffmpeg"), shutil.which("chromium")
LINE = {"num_points": 20, "x_mid": 5, "x_range": 5, "y_weight": 10, "noise_range": 5, "seed": 0}


# Which steps


@given(
    last=st.integers(0, 100_000),
    count=st.integers(2, 500),
    spacing=st.sampled_from(["log", "linear"]),
)
def test_steps_are_thinned_to_a_number_with_first_and_last(last, count, spacing):
    steps = plots.thinned(last, count, spacing)
    assert len(steps) == min(count, last + 1)
    assert (steps[0], steps[-1]) == (0, last)
    assert np.all(np.diff(steps) > 0)
    if spacing == "log":
        assert np.all(np.diff(np.diff(steps)) >= -1)  # ever longer strides, but for rounding
    elif count <= last:
        assert np.ptp(np.diff(steps)) <= 1


# Frames


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("results") / "line.h5"
    experiment = fm.Experiment(
        title="A line </script> & more", objective=fm.MSE(data=LINE), rule="momentum", steps=200,
        grid={"lr": [1e-3, 10.0], "momentum": 0.9, "start": [(-20, -20)]},
    )  # fmt: skip
    fm.run(experiment, path)
    return path


@pytest.fixture
def animate(script, monkeypatch):
    from fastmomentum.cli import films
    from fastmomentum.plots.pages import panels

    monkeypatch.setattr(panels, "PAGE_POINTS", 21)
    monkeypatch.setattr(films, "DPI", dict.fromkeys(films.DPI, 30))
    return lambda *words: script("animate", *words)


def made(frames=(0, 2, 30)) -> plots.Report:
    turn = np.linspace(0.0, 4.0, 31)
    points = np.stack([np.cos(turn), 1.0 + np.sin(turn)], axis=1)
    run = plots.Run(points, np.arange(31), 1e-3, 0.9, fm.Status.MAX_STEPS, 30, 0.5)
    field = plots.sample(fm.Rosenbrock(), plots.window(fm.Rosenbrock(), [run]), points=21)
    figure = Figure(figsize=(12.8, 7.2), dpi=40, layout="constrained")
    return plots.run_report(figure, run, field, "momentum", frames=frames)


def test_a_frame_is_what_drawing_everything_would_give():
    projector = plots.FrameRenderer(made())
    quick = projector.frame(2).astype(int)
    report = made(frames=[30])
    canvas = FigureCanvasAgg(report.figure)
    canvas.draw()
    slow = np.array(canvas.buffer_rgba()).astype(int)
    different = np.abs(quick - slow)[..., :3].max(axis=2) > 8
    # But for the legend, where the dot is "now" in the one and the "last step" in the other.
    assert different[: -20 * 40 // 30].mean() < 1e-3


def test_a_frame_is_its_overlay_on_what_holds_still():
    projector = plots.FrameRenderer(made())
    assert len(projector) == 3
    for index in range(3):
        still = Image.fromarray(projector.still)
        overlay = Image.fromarray(projector.overlay(index))
        still.alpha_composite(overlay)
        away = np.abs(np.array(still).astype(int) - projector.frame(index).astype(int))
        assert away[..., :3].mean() < 0.05
        assert np.percentile(away, 99.9) <= 12


def test_frames_differ_and_come_back():
    projector = plots.FrameRenderer(made())
    frames = [projector.frame(index) for index in (0, 1, 2, 0)]
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[2])
    np.testing.assert_array_equal(frames[0], frames[3])
    assert frames[0].shape == (288, 512, 4)


# Files


def test_a_gif_has_the_frames_asked_for(animate, results, tmp_path):
    path = tmp_path / "line.gif"
    status, out, err = animate(results, "-o", path, "--frames", "9", "--lr", "1e-3", "--fps", "10")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == f"wrote {path}"
    assert list(tmp_path.iterdir()) == [path]
    with Image.open(path) as picture:
        assert picture.n_frames == 9
        assert picture.size == (384, 216)
        assert picture.info["loop"] == 0
        assert picture.info["duration"] == 100
        assert picture.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
        picture.seek(8)
        assert picture.info["duration"] == 1500


def test_a_page_is_self_contained_and_can_be_operated(animate, results, tmp_path):
    path = tmp_path / "line.html"
    status, _, err = animate(results, "-o", path, "--frames", "12", "--lr", "1e-3")
    assert (status, err) == (0, "")
    page = path.read_text()
    assert not re.search(r"https?://|//cdn|src=\"(?!data:)|href=|@[A-Z]+@", page)
    assert "default-src 'none'" in page
    assert "<title>A line &lt;/script&gt; &amp; more</title>" in page
    assert page.count("</script>") == 1
    slider = re.search(r"<input[^>]*type=\"range\"[^>]*>", page)
    assert slider is not None
    assert 'min="0" max="11"' in slider[0]
    assert "aria-label=" in slider[0]
    assert re.search(r"<button id=\"play\"[^>]*>Play</button>", page)
    film = json.loads(re.search(r"const film = (\{.*\});", page)[1].replace("<\\/", "</"))
    assert film["steps"] == plots.thinned(200, 12).tolist()
    pictures = [re.search(r"<img src=\"([^\"]*)\"", page)[1], *film["frames"]]
    assert len(pictures) == 13
    for source in pictures:
        head, data = source.split(",")
        assert head == "data:image/png;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (384, 216)


def browsed(path: Path, folder: Path) -> str:
    """What a page has become in a browser, a moment after it was opened."""
    options = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    options += " --disable-background-networking --disable-component-update --disable-sync"
    options += f" --user-data-dir={folder / 'profile'} --virtual-time-budget=400 --dump-dom"
    done = subprocess.run(
        [CHROMIUM, *options.split(), path.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")
def test_a_page_plays_in_a_browser(animate, results, tmp_path):
    path = tmp_path / "line.html"
    animate(results, "-o", path, "--frames", "12", "--lr", "1e-3")
    page = browsed(path, tmp_path)
    assert re.search(r'<div id="controls">', page), "the controls are hidden still"
    assert re.search(r'<button id="play"[^>]*>Pause</button>', page)
    shown = re.search(r'<output id="step"[^>]*>step (\d+)</output>', page)
    assert shown is not None
    assert int(shown[1]) in plots.thinned(200, 12)[1:]


# A browser's own window is never so narrow; a frame in it is.
PHONE = """<!DOCTYPE html><body><iframe width="390" height="844" style="border: 0"></iframe><script>
const frame = document.querySelector("iframe");
frame.onload = () => setTimeout(() => {
  const page = frame.contentDocument, box = (id) => page.getElementById(id).getBoundingClientRect();
  const moving = page.getElementById("moving");
  document.body.dataset.found = JSON.stringify({
    width: frame.contentWindow.innerWidth, page: page.documentElement.scrollWidth,
    scale: moving.clientWidth / moving.width,
    lowest: Math.min(...["play", "slider", "speed"].map((id) => box(id).height)),
    farthest: Math.max(...["play", "slider", "step", "speed"].map((id) => box(id).right)),
    ground: getComputedStyle(page.body).backgroundColor,
  });
}, 200);
frame.srcdoc = @PAGE@;
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")
@pytest.mark.parametrize(
    ("style", "ground"), [("default", "rgb(255"), ("dark_background", "rgb(0")]
)
def test_a_page_is_legible_on_a_phone(style, ground, results, script, tmp_path):
    path = tmp_path / "line.html"
    words = ("--frames", "2", "--lr", "1e-3", "--style", style)
    assert script("animate", results, "-o", path, *words)[0] == 0
    text = json.dumps(path.read_text()).replace("</", "<\\/")
    path.write_text(PHONE.replace("@PAGE@", text))
    dumped = browsed(path, tmp_path)
    found = json.loads(html.unescape(re.search(r'data-found="([^"]*)"', dumped)[1]))
    assert found["width"] == 390
    assert found["page"] <= 390  # the panels alone are scrolled, in their frame
    assert found["farthest"] <= 390
    assert found["lowest"] >= 44  # of a finger
    letters = 10 / 72 * DPI[".html"] * found["scale"]  # the smallest are of 10 points
    assert letters >= 10
    assert found["ground"].startswith(ground)


@pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg on the PATH")
def test_a_film_is_written_by_ffmpeg(animate, results, tmp_path):
    path = tmp_path / "line.mp4"
    status, _, err = animate(results, "-o", path, "--frames", "8", "--lr", "1e-3", "--fps", "10")
    assert (status, err) == (0, "")
    assert list(tmp_path.iterdir()) == [path]
    command = [FFMPEG, "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "h264" in done.stderr
    assert "384x216" in done.stderr
    frames = int(re.findall(r"frame=\s*(\d+)", done.stderr)[-1])
    assert frames == 8 + 15  # and the last stays


@pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg on the PATH")
def test_what_ffmpeg_complains_of_is_told_in_a_line(animate, results, tmp_path, monkeypatch):
    from fastmomentum.plots import films

    monkeypatch.setattr(films, "_EVEN", "nonsense")
    status, _, err = animate(results, "-o", tmp_path / "line.mp4", "--frames", "2")
    assert (status, err.count("\n")) == (4, 1)
    assert "ffmpeg could not write .mp4: " in err
    assert list(tmp_path.iterdir()) == []


def test_without_ffmpeg_a_film_is_refused_before_any_work(animate, results, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    status, out, err = animate(results, "-o", tmp_path / "line.mp4")
    assert (status, out) == (2, "")
    assert err == (
        "animate.py: an .mp4 needs ffmpeg, and there is none on the PATH; install it, "
        "or write a .gif or an .html\n"
    )


def test_a_diverging_run_moves_without_a_warning(animate, results, tmp_path):
    path = tmp_path / "wild.gif"
    status, out, err = animate(results, "-o", path, "--lr", "10", "--spacing", "linear")
    assert (status, err) == (0, "")
    steps = int(re.search(r"diverged after (\d+) steps", out)[1])
    with Image.open(path) as picture:
        assert picture.n_frames == steps + 1


def test_an_interrupted_writing_leaves_nothing_behind(animate, results, tmp_path, monkeypatch):
    from fastmomentum.plots import films

    def interrupted(_projector, path, *_):
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(films, "write_gif", interrupted)
    status, _, err = animate(results, "-o", tmp_path / "line.gif")
    assert (status, err) == (130, "animate.py: interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "run.avi"], "-o must end in .gif, .mp4, .html: got '.avi' (run.avi)"),
        (["-o", "run"], "-o must end in .gif, .mp4, .html: got no suffix (run)"),
        (["--frames", "1"], "--frames must be from 2 to 2000: got 1"),
        (["--frames", "many"], "argument --frames: invalid int value: 'many'"),
        (["--fps", "0"], "--fps must be from 0.1 to 50: got 0"),
        (["--fps", "nan"], "--fps must be from 0.1 to 50: got nan"),
        (["--spacing", "even"], "argument --spacing: invalid choice: 'even'"),
    ],
)
def test_mistakes_are_told_in_a_line(script, results, words, message):
    status, _, err = script("animate", results, *words)
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith(f"animate.py: {message}")


# A window


@pytest.mark.parametrize("display", [None, ":987"])
def test_without_a_display_nothing_can_be_played(animate, results, monkeypatch, display):
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    status, out, err = animate(results, "--live")
    assert (status, out) == (2, "")
    assert err.startswith("animate.py: --live cannot open a window (")
    assert err.endswith("); write an .html with -o instead\n")


def test_a_player_goes_on_stops_and_begins_anew():
    from fastmomentum.plots.films import LAST_SECONDS
    from fastmomentum.plots.player_window import Player

    report = made()
    canvas = FigureCanvasAgg(report.figure)
    player = Player(plots.FrameRenderer(report, canvas), canvas, fps=1 / LAST_SECONDS)
    canvas.draw()
    shown = []
    for _ in range(6):
        shown.append(player.at)
        player.tick()
    assert shown == [0, 1, 2, 2, 0, 1]

    def press(key: str) -> int:
        canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", canvas, key))
        return player.at

    at = press(" ")
    player.tick()
    assert player.at == at
    assert (press("right"), press("right"), press("left")) == (0, 1, 0)
    assert not player.playing
    assert press("x") == 0
    press(" ")
    player.tick()
    assert player.at == 1
    canvas.callbacks.process("close_event", CloseEvent("close_event", canvas))
