"""Titles and columns in any script, with fonts made here: what a machine has does not matter."""

from __future__ import annotations

import io
import logging
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum import machine
from fastmomentum.cli import app
from fastmomentum.errors import FontWarning
from fastmomentum.plots import fonts, pages
from fastmomentum.plots.styles import drawn_in

KOREAN, CHINESE, THAI = "온도", "动量", "ไทย"


def made(folder: Path, name: str, letters: str) -> Path:
    """A font that has a few letters, all of them filled boxes."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (500, 700), (500, 0)):
        pen.lineTo(corner)
    pen.closePath()
    box = pen.glyph()
    names = [".notdef", *(f"u{ord(letter):04X}" for letter in letters)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(letter): f"u{ord(letter):04X}" for letter in letters})
    font.setupGlyf(dict.fromkeys(names, box))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": name, "styleName": "Regular"})
    font.setupOS2(sTypoAscender=800, usWeightClass=400)
    font.setupPost()
    path = folder / f"{name.replace(' ', '')}.ttf"
    font.save(path)
    return path


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Leaves the fonts of matplotlib alone on the machine, and adds those asked for."""
    manager = font_manager.fontManager
    own = [entry for entry in manager.ttflist if "matplotlib" in entry.fname]
    monkeypatch.setattr(manager, "ttflist", own)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [])

    def add(name: str, letters: str) -> None:
        manager.addfont(made(tmp_path, name, letters))

    return add


def titled(text: str) -> tuple[Figure, object]:
    figure = Figure(figsize=(4, 2))
    title = figure.suptitle(text)
    fonts.give_fonts(figure)
    figure.savefig(io.BytesIO(), format="png")
    return figure, title


def test_letters_are_drawn_by_the_font_that_has_them(only) -> None:
    only("Has Korean", KOREAN)
    only("Has Chinese", CHINESE)
    _, title = titled(f"{KOREAN} {CHINESE} Ускорение ٣")
    families = title.get_fontfamily()
    assert families[0] == "sans-serif"
    assert set(families[1:]) == {"Has Korean", "Has Chinese"}


def test_one_font_that_has_all_is_preferred_to_two(only) -> None:
    only("Has Korean", KOREAN)
    only("Has Both", KOREAN + CHINESE)
    assert titled(KOREAN + CHINESE)[1].get_fontfamily() == ["sans-serif", "Has Both"]


def test_beside_a_formula_the_font_comes_first(only) -> None:
    only("Has Korean", KOREAN)
    assert titled(rf"{KOREAN}: $1.5\times10^{{-5}}$")[1].get_fontfamily()[0] == "Has Korean"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{KOREAN}와 {CHINESE}",
            "no installed font has 动量도온와: install Noto Sans CJK KR (Debian and Ubuntu: the "
            "package fonts-noto-cjk), or another that has",
        ),
        (THAI, "no installed font has ทยไ: install Noto Sans Thai, or another font that has"),
        ("\U0001f9ea", "no installed font has \U0001f9ea: install a font that has, or leave"),
    ],
)
def test_where_no_font_has_letters_one_line_says_which_to_install(
    only, text, message, monkeypatch
) -> None:
    monkeypatch.setattr(machine, "sys", types.SimpleNamespace(platform="linux"))
    with pytest.warns(FontWarning) as told:
        _, title = titled(text)
    assert len(told) == 1
    assert str(told[0].message).startswith(message)
    assert fonts.STANDS_IN in title.get_text()


JAPANESE, TAIWANESE = "はカ", "ㄅ"


@pytest.mark.parametrize(
    ("platform", "names", "where"),
    [
        (
            "win32",
            ("Malgun Gothic", "Yu Gothic", "Microsoft YaHei", "Microsoft JhengHei"),
            ", which comes with Windows",
        ),
        (
            "darwin",
            ("Apple SD Gothic Neo", "Hiragino Sans", "Hiragino Sans GB", "Heiti TC"),
            ", which comes with macOS",
        ),
        (
            "linux",
            tuple(f"Noto Sans CJK {land}" for land in ("KR", "JP", "SC", "TC")),
            " (Debian and Ubuntu: the package fonts-noto-cjk)",
        ),
        ("freebsd14", tuple(f"Noto Sans CJK {land}" for land in ("KR", "JP", "SC", "TC")), ""),
    ],
)
def test_the_font_to_install_is_one_of_this_system(only, platform, names, where, monkeypatch):
    monkeypatch.setattr(machine, "sys", types.SimpleNamespace(platform=platform))
    for text, name in zip((KOREAN, JAPANESE, CHINESE, TAIWANESE), names, strict=True):
        with pytest.warns(FontWarning) as told:
            titled(text)
        assert str(told[0].message).endswith(f": install {name}{where}, or another that has")


def test_marks_that_are_not_seen_need_no_font(only) -> None:
    assert titled("\u2066a\u2069")[1].get_text() == "a"


def test_a_font_installed_since_is_found(only, tmp_path, monkeypatch) -> None:
    path = str(made(tmp_path, "New Korean", KOREAN))
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [path, str(tmp_path)])
    assert titled(KOREAN)[1].get_fontfamily() == ["sans-serif", "New Korean"]


def test_signs_and_exponents_have_a_font_in_every_style(only, tmp_path, caplog) -> None:
    only("Letters Alone", "abcdefghijklmnopqrstuvwxyz0123456789 ().,:=-")
    (tmp_path / "mine.mplstyle").write_text("font.family: Letters Alone\n")
    ds = small()
    with caplog.at_level(logging.WARNING, "matplotlib"):
        page = fm.plots.phase(ds, style=tmp_path / "mine.mplstyle")
        page.savefig(io.BytesIO(), format="png")  # a missing glyph would be a warning
    assert caplog.text == ""
    (tmp_path / "mine.mplstyle").write_text("font.family: Nonesuch\n")
    with (
        pytest.warns(FontWarning, match="the style's font Nonesuch is not installed; DejaVu Sans"),
        drawn_in(tmp_path / "mine.mplstyle"),
    ):
        pass


def small(**fields) -> object:
    grid = fm.Grid(lr=[1e-4, 1e-3], momentum=[0.0, 0.5], start=[(1, 1)])
    plan = {"objective": fm.Quadratic(1.0, 0.0, 10.0), "rule": "momentum", "steps": 20}
    return fm.run(fm.Experiment(grid=grid, stop=fm.Stop(targets=[0.9]), **plan | fields))


@pytest.fixture
def columns(tmp_path: Path) -> Path:
    """Results with a title and columns in two scripts."""
    x = np.arange(5.0)
    rows = "\n".join(f"{a},{2 * a + 1}" for a in x)
    (tmp_path / "d.csv").write_text(f"{KOREAN},цена\n{rows}\n", encoding="utf-8")
    line = fm.MSE(data=str(tmp_path / "d.csv"), x=KOREAN, y="цена")
    path = tmp_path / "line.h5"
    grid = fm.Grid(lr=1e-4, momentum=0.5, start=[(-20, -20)])
    plan = fm.Experiment(title=CHINESE, objective=line, rule="momentum", steps=9, grid=grid)
    fm.run(plan, path).close()
    return path


@pytest.mark.parametrize("kind", ["report", "contour", "loss", "animate"])
def test_commands_draw_every_script_and_say_at_most_one_line(kind, columns, only, tmp_path) -> None:
    words = ["animate"] if kind == "animate" else ["plot", kind]
    out = tmp_path / ("run.gif" if kind == "animate" else "out.png")
    asked = [*words, str(columns), "-o", str(out), "--size", "8x5"]
    asked += ["--frames", "2"] if kind == "animate" else []
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("no installed font has ")
    only("Has Them", KOREAN + CHINESE)
    done = CliRunner().invoke(app, asked)
    assert (done.exit_code, done.stderr) == (0, "")


def test_pages_of_a_notebook_have_the_letters_too(columns, only) -> None:
    only("Has Them", KOREAN + CHINESE)
    with fm.open(columns) as ds:
        page = pages.report(ds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert page._repr_png_().startswith(b"\x89PNG")
    labels = [ax.xaxis.label for ax in page.axes if ax.get_xlabel() == KOREAN]
    assert [label.get_fontfamily()[-1] for label in labels] == ["Has Them"]


@pytest.mark.skipif(
    not any("CJK" in path for path in font_manager.findSystemFonts()),
    reason="no CJK font is installed",
)
def test_with_the_fonts_of_this_machine() -> None:
    assert "CJK" in titled(KOREAN)[1].get_fontfamily()[-1]
