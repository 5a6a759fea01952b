"""Colours are told apart by everyone, also by those who see red and green alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import fastmomentum
from fastmomentum.plots import basin_maps, clouds, duels, marks, seed_bands, style

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
SIGHTS = {
    "all cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
TO_XYZ = [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
]
WHITE = (0.95047, 1.0, 1.08883)

NOTICED = 2.3
"""Distance in CIELAB that is just noticed between two colours side by side."""

APART = 15.0
"""Least distance of colours that mean different things."""

IN_ORDER = 3 * NOTICED
"""Least distance of neighbours in an ordered palette, whose legend names ten values at most."""


def lab(colour: str | Sequence[float], sight: str) -> np.ndarray:
    """A colour in CIELAB as it is seen."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SIGHTS[sight]) @ linear, 0.0, 1.0)
    t = np.array(TO_XYZ) @ seen / WHITE
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def least(colours: Sequence[str | Sequence[float]], sight: str) -> float:
    seen = [lab(colour, sight) for colour in colours]
    return float(min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)))


def test_the_simulation_confuses_what_is_confused() -> None:
    red, green = "#c04040", "#6a7a30"
    assert least([red, green], "all cones") > 50
    assert least([red, green], "deuteranopia") < 15
    assert np.allclose(lab("white", "protanopia"), [100, 0, 0], atol=0.1)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize(
    "colours",
    [
        pytest.param(style.COLOURS, id="runs"),
        pytest.param(style.COLOURS_ON_DARK, id="runs on a dark ground"),
        pytest.param(basin_maps.BASINS, id="basins"),
        pytest.param(
            (style.DIVERGED, style.NEVER, style.NOT_RUN, style.CONVERGED), id="how runs ended"
        ),
        pytest.param(("white", *clouds.cloud_colours("white")), id="a cloud and its ellipses"),
        pytest.param(("black", *clouds.cloud_colours("black")), id="those on a dark ground"),
        pytest.param((*duels.ONLY, style.DIVERGED, style.NEVER, style.NOT_RUN), id="duels"),
    ],
)
def test_colours_that_mean_different_things_are_apart(colours, sight) -> None:
    assert least(colours, sight) >= APART


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("on_dark", [False, True])
def test_an_ordered_palette_is_in_order_of_lightness(on_dark, sight) -> None:
    colours = marks.palette(marks.MOST_NAMED, on_dark)
    lightness = [lab(colour, sight)[0] for colour in colours]
    assert np.all(np.diff(lightness) > 0)
    assert least(colours, sight) >= IN_ORDER


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("level", [0, 64, 128, 192, 255])
def test_basins_are_told_apart_in_each_shade(level, sight) -> None:
    assert least([basin_maps.shades(hue)[level] for hue in basin_maps.BASINS], sight) >= IN_ORDER


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("ground", ["white", "black"])
def test_bands_of_seeds_are_told_from_their_ground_and_their_medians(ground, sight) -> None:
    for colour in style.colours_on(ground):
        layers = [np.array(to_rgb(ground))]
        for *_, alpha in seed_bands.PAIRS:  # from the outside inwards, one upon the other
            layers.append((1.0 - alpha) * layers[-1] + alpha * np.array(to_rgb(colour)))
        for below, above in pairwise(layers):
            assert least([below, above], sight) >= NOTICED
        assert least([layers[-1], colour], sight) >= APART


CSS = (Path(fastmomentum.__file__).parent / "explorer" / "page.css").read_text(encoding="utf-8")
SCHEMES = dict(zip(("light", "dark"), re.findall(r":root \{(.*?)\}", CSS, re.DOTALL), strict=True))


def scheme_of(name: str) -> dict[str, str]:
    """Colours of the explorer's page, by their names in its style sheet."""
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", SCHEMES[name]))


def contrast(one: str, other: str) -> float:
    """Ratio of two colours' luminances, by the Web Content Accessibility Guidelines 2.2."""
    light = sorted((lab(colour, "all cones")[0] + 16) / 116 for colour in (one, other))
    darker, lighter = (t**3 if t > 6 / 29 else (t - 4 / 29) * 3 * (6 / 29) ** 2 for t in light)
    return float((lighter + 0.05) / (darker + 0.05))


@pytest.mark.parametrize("name", SCHEMES)
def test_the_explorers_words_are_legible(name) -> None:
    colours = scheme_of(name)
    assert contrast("black", "white") == pytest.approx(21.0)
    for ground in ("paper", "wash"):
        for words in ("ink", "faint", "accent", "wrong"):
            assert contrast(colours[ground], colours[words]) >= 4.5, (ground, words)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", SCHEMES)
def test_the_explorers_colours_that_mean_different_things_are_apart(name, sight) -> None:
    colours = scheme_of(name)
    meanings = [colours[words] for words in ("ink", "accent", "wrong", "paper")]
    assert least(meanings, sight) >= APART
    marks_of_legend = set(re.findall(r"#[0-9a-f]{3,6}\b", "".join(re.findall(
        r"^#legend i[^{]*(\{.*?\})", CSS, re.MULTILINE | re.DOTALL
    ))))  # fmt: skip
    assert len(marks_of_legend) >= 3
    assert least(sorted(marks_of_legend), sight) >= APART
    (edge,) = re.findall(r"^\.warning \{.*border-left: [^;]*(#[0-9a-f]{6});", CSS, re.MULTILINE)
    assert least([edge, colours["wash"]], sight) >= APART
    diamond = re.findall(r"i\.diamond \{.*background: (#[0-9a-f]{6});", CSS)
    assert least([*diamond, colours["paper"]], sight) >= APART
