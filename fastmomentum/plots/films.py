"""Frames of a report as a GIF, a film or a page."""

from __future__ import annotations

import base64
import html
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.colors import to_hex
from PIL import Image

from fastmomentum.errors import InputError, StorageError
from fastmomentum.plots.frames import FrameRenderer
from fastmomentum.plots.style import is_dark

Through = Callable[[Iterable[int]], Iterator[int]]
"""Passes frame numbers through, and shows the progress."""

PAGE: Final = Path(__file__).with_name("player.html")
LAST_SECONDS: Final = 1.5
"""How long the last frame stays before the film starts over."""


def write_gif(
    projector: FrameRenderer, path: Path, fps: float, through: Through, times: int = 0
) -> None:
    """Write a GIF that plays a number of times (0: for ever), with one palette for all frames."""
    last = len(projector) - 1
    palette = _palette(projector, last)
    frames = [
        Image.fromarray(projector.frame(i)[..., :3]).quantize(palette=palette, dither=_NO_DITHER)
        for i in through(range(last + 1))
    ]
    shown = [round(1000 / fps)] * last + [round(1000 * LAST_SECONDS)]
    # The format counts the repetitions; without a count the GIF plays once.
    again = {} if times == 1 else {"loop": max(times - 1, 0)}
    frames[0].save(
        path, format="GIF", save_all=True, append_images=frames[1:], duration=shown, **again
    )


_NO_DITHER: Final = Image.Dither.NONE  # dithering would flicker, and make the file larger


def _palette(projector: FrameRenderer, last: int) -> Image.Image:
    """A palette for the frames: colours of small areas are kept, and white stays white."""
    moving = projector.overlay(last)
    seen = [projector.still[..., :3].reshape(-1, 3), projector.frame(last)[..., :3].reshape(-1, 3)]
    seen.append(moving[moving[..., 3] > 200][:, :3])
    colours, counts = np.unique(np.concatenate(seen) // 4, axis=0, return_counts=True)
    often = np.repeat(colours * 4 + 2, np.ceil(np.sqrt(counts)).astype(int), axis=0)
    # 255, not 256: one index is left for pixels that a frame does not change.
    found = Image.fromarray(often[np.newaxis].astype(np.uint8)).quantize(
        255, Image.Quantize.MEDIANCUT, kmeans=1, dither=_NO_DITHER
    )
    chosen = np.array((found.getpalette() or [])[: 3 * 255]).reshape(-1, 3)
    chosen[(chosen > 247).all(axis=1)] = 255
    found.putpalette(chosen.ravel().tolist())
    return found


def write_film(projector: FrameRenderer, path: Path, fps: float, through: Through) -> None:
    """Write an MP4 with ffmpeg."""
    height, width = projector.still.shape[:2]
    program = film_maker()
    command = [
        program, "-hide_banner", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{width}x{height}", "-r", f"{fps:g}",
        "-i", "-",
        "-vf", f"tpad=stop_mode=clone:stop_duration={LAST_SECONDS},{_EVEN}",
        "-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
        str(path),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdin is not None
        assert ffmpeg.stderr is not None
        try:
            for i in through(range(len(projector))):
                ffmpeg.stdin.write(projector.frame(i).tobytes())
            ffmpeg.stdin.close()
        except BrokenPipeError:
            pass  # ffmpeg's own message says why
        except BaseException:
            ffmpeg.kill()
            raise
        said = ffmpeg.stderr.read().decode(errors="replace").strip()
    if ffmpeg.returncode:
        last_line = said.splitlines()[-1] if said else f"exit status {ffmpeg.returncode}"
        raise StorageError(f"ffmpeg could not write {path.suffix}: {last_line}")


_EVEN: Final = "crop=trunc(iw/2)*2:trunc(ih/2)*2"  # pixels, as yuv420p wants them


def film_maker() -> str:
    """Find ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise InputError(
            "an .mp4 needs ffmpeg, and there is none on the PATH; install it, "
            "or write a .gif or an .html"
        )
    return program


def write_page(
    projector: FrameRenderer, path: Path, fps: float, through: Through, title: str
) -> None:
    """Write a self-contained page: one still picture, and an overlay for each frame."""
    report = projector.report
    steps = report.steps.tolist()
    frames = [_png(projector.overlay(i)) for i in through(range(len(projector)))]
    height, width = projector.still.shape[:2]
    film = {"steps": steps, "fps": fps, "hold": LAST_SECONDS, "frames": frames}
    ground = report.figure.get_facecolor()
    dark = is_dark(ground)
    filled = {
        "TITLE": html.escape(title),
        "GROUND": to_hex(ground),
        "INK": "#eeeeee" if dark else "#111111",
        "BUTTON": "#333333" if dark else "#f4f4f4",
        "OVER": "#4a4a4a" if dark else "#e8e8e8",
        "SCHEME": "dark" if dark else "light",
        "WIDTH": str(width),
        "HEIGHT": str(height),
        "LAST": str(len(frames) - 1),
        "STILL": _png(projector.still[..., :3]),
        "END": frames[-1],
        "FILM": json.dumps(film).replace("</", "<\\/"),
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, text in filled.items():
        page = page.replace(f"@{name}@", text)
    path.write_text(page, encoding="utf-8")


def _png(pixels: Any) -> str:
    """Give a picture as a data URI."""
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    if pixels.shape[2] == 4:  # few colours on a transparent ground: a palette will do
        picture = picture.quantize(256, Image.Quantize.FASTOCTREE)
    picture.save(file, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
