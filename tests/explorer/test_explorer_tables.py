"""Schedules, noise, seeds and theory of the explorer, without a browser."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as Outline

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.execution.interruptible import run_unless
from fastmomentum.explorer.as_toml import toml_of
from fastmomentum.explorer.changes import CHANGES, field_of
from fastmomentum.explorer.inbox import QUIET, Inbox
from fastmomentum.explorer.links import check, view_of
from fastmomentum.explorer.maps import (
    COARSE_UPDATES,
    LEAST_CELLS,
    MOST_UPDATES,
    _kernel_of,
    coarse_size,
    cost_of,
    fine_size,
    require_few_steps,
)
from fastmomentum.explorer.plane import Plane, halved, plane_in_memory, plane_of
from fastmomentum.explorer.source import Source
from fastmomentum.explorer.tables import KINDS, schedules_told
from fastmomentum.explorer.theory import nearest_minimiser, theory_of
from fastmomentum.explorer.view import View, first_view
from fastmomentum.objectives import Himmelblau
from fastmomentum.results.backend import from_memory
from fastmomentum.schema import Arrays
from tests.helpers import LINE_X, LINE_Y, same_bits

VIEW = first_view()

SCHEDULES = [(of, kind) for of, kinds in KINDS.items() for kind in kinds]


def asked(view: View, name: str, **parts: object) -> View:
    return CHANGES[name](view, parts, VIEW)


def reads_back(view: View, folder: Path) -> fm.Experiment:
    """The experiment of a view, once its file and its link say the same."""
    experiment = view.experiment(4, 3)
    file = folder / "shown.toml"
    file.write_text(toml_of(experiment), encoding="utf-8")
    assert fm.load(file).canonical == experiment.canonical
    assert view_of(urllib.parse.parse_qs(view.link[1:])["view"][0], VIEW) == view
    return experiment


@pytest.mark.parametrize(("of", "kind"), SCHEDULES)
@pytest.mark.parametrize("steps", [1, 7, 2000])
def test_every_schedule_can_be_chosen(of: str, kind: str, steps: int, tmp_path: Path) -> None:
    view = asked(VIEW.changed(steps=steps), "schedule", of=of, table={"kind": kind})
    schedule = reads_back(view, tmp_path).schedule
    assert schedule is not None
    (made,) = getattr(schedule, of)
    assert made.kind == kind
    told = next(one for one in schedules_told()[of] if one["name"] == kind)
    assert {one["name"] for one in told["parameters"]} == set(made.model_fields_set | set(
        type(made).model_fields)) - {"kind"}  # fmt: skip
    assert json.dumps(told)


def test_schedules_of_both_are_kept_apart(tmp_path: Path) -> None:
    view = asked(VIEW, "schedule", of="lr", table={"kind": "cosine"})
    view = asked(view, "schedule", of="momentum", table={"kind": "nesterov"})
    assert "momentum" not in view.names
    assert reads_back(view, tmp_path).has_momentum_schedule
    view = asked(view, "schedule", of="lr", table={})
    assert set(view.others["schedule"]) == {"momentum"}
    view = asked(view, "schedule", of="momentum", table={})
    assert view.map_key == VIEW.map_key


def test_noise_and_seed_come_and_go(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing is random"):
        asked(VIEW, "seed", value="3")
    view = asked(asked(VIEW, "noise", value="0.1"), "seed", value="3")
    experiment = reads_back(view, tmp_path)
    assert experiment.noise is not None
    assert (experiment.noise.gaussian, list(experiment.grid.seeds)) == (0.1, [3])
    assert asked(view, "noise", value="").map_key == VIEW.map_key
    for value in ("-1", "1.5", "1e300", "nan", "three"):
        with pytest.raises(InputError, match="seed must be"):
            asked(view, "seed", value=value)


@pytest.mark.parametrize(("name", "parts", "field"), [
    ("schedule", {"of": "lr", "table": {"kind": "cosin"}}, "schedule"),
    ("schedule", {"of": "lr", "table": {"kind": "cosine", "steps": 0}}, "schedule"),
    ("schedule", {"of": "beta", "table": {"kind": "cosine"}}, "schedule"),
    ("schedule", {"of": "lr", "table": {"kind": "step", "factor": 0.5}}, "schedule"),
    ("noise", {"value": "-0.1"}, "noise"),
    ("noise", {"value": "much"}, "noise"),
    ("seed", {"value": "-1"}, "seed"),
])  # fmt: skip
def test_a_refusal_is_said_beside_its_field(name: str, parts: dict, field: str) -> None:
    with pytest.raises(InputError) as refused:
        asked(VIEW, name, **parts).experiment(4, 4)
    assert field_of(name, str(refused.value)) == field


def test_another_kernel_is_told_to_be_compiled() -> None:
    views = [
        VIEW,
        asked(VIEW, "noise", value="0.1"),
        asked(VIEW, "schedule", of="lr", table={"kind": "cosine"}),
        asked(VIEW, "schedule", of="momentum", table={"kind": "nesterov"}),
        asked(VIEW, "rule", table={"name": "momentum", "weight_decay": 0.1}),
        asked(VIEW, "rule", table={"name": "momentum", "restart": "function"}),
        asked(VIEW, "axes", x="lr", y="objective_b"),
    ]
    kernels = [_kernel_of(view.experiment(4, 4)) for view in views]
    assert len(set(kernels)) == len(kernels)
    again = asked(views[2], "schedule", of="lr", table={"kind": "step"})
    assert _kernel_of(again.experiment(9, 4)) == kernels[2]


def test_theory_is_that_of_the_nearest_minimum() -> None:
    view = first_view(Himmelblau())
    lines = []
    for place in view.objective.minimisers:
        near = view.changed(start=tuple(place + 0.3))
        assert nearest_minimiser(near) == pytest.approx(place)
        theory = theory_of(near)
        said = dict(theory.words)["star"]
        assert said == (
            f"theory at the minimum ({place[0]:.4g}, {place[1]:.4g}), the nearest to the start"
        )
        assert theory.lines is not None
        assert theory.lines.stability is not None
        lines.append(float(theory.lines.stability.get_xdata()[0]))
    low = [np.linalg.eigvalsh(view.objective.hessian(*p))[-1] for p in view.objective.minimisers]
    assert lines == pytest.approx([2 / curvature for curvature in low])
    assert "star" not in dict(theory_of(VIEW).words)


@pytest.mark.parametrize(("objective", "curvatures"), [
    (fm.HeavyBallCycle(), "1 to 25"), (fm.Quadratic(1.0, 0.0, 10.0), "1 to 10"),
    (fm.Formula("x^2/2 + k*y^2", k=5.0), "1 to 10"), (fm.MSE.from_arrays(LINE_X, LINE_Y), ""),
    (fm.Rosenbrock(), None), (fm.Formula("x^2 + y^2"), None), (fm.Formula("x^4 + y^2"), None),
], ids=str)  # fmt: skip
def test_cycles_are_drawn_where_there_are_some(
    objective: fm.objectives.Objective, curvatures: str | None
) -> None:
    theory = theory_of(first_view(objective))
    said = dict(theory.words).get("hatched", "")
    assert bool(theory.cycles) == bool(said) == (curvatures is not None)
    assert (curvatures or "") in said


def test_the_region_of_cycles_is_that_of_theory() -> None:
    theory = theory_of(first_view(fm.Formula("x^2/2 + k*y^2", k=5.0)))
    outlines = [Outline(one) for one in theory.cycles]
    lrs = np.geomspace(0.05, 0.55, 60)
    inside = [any(one.contains_point((lr, 0.5)) for one in outlines) for lr in lrs]
    cycles = fm.theory.shortest_cycle(lrs, 0.5, 1.0, 10.0) > 0
    assert 10 < np.count_nonzero(cycles) < 50
    assert np.count_nonzero(inside != cycles) <= 1  # one may lie within a sample of the edge


def test_theory_is_for_learning_rate_and_momentum() -> None:
    assert theory_of(VIEW.changed(theory=False)).words == ()
    assert theory_of(VIEW.changed(y="objective_b").fitting()).words == ()


@pytest.mark.parametrize("x", ["lr", "start_x"])
def test_halfway_every_second_row_is_there(x: str) -> None:
    y = "momentum" if x == "lr" else "start_y"
    view = VIEW.changed(x=x, y=y, steps=200).fitting()
    experiment = view.experiment(9, 170)
    seen: list[np.ndarray] = []

    def halfway(arrays: Arrays) -> None:
        seen.append(halved(plane_in_memory(experiment, arrays, x, y), experiment).codes)

    with ThreadPoolExecutor(2) as threads:
        arrays = run_unless(experiment, threads, 2, lambda: False, halfway)
    assert arrays is not None
    results = fm.run(experiment)
    same_bits(from_memory(experiment, arrays, 0.0), results)
    plane = plane_of(results, x, y)
    (half,) = seen
    expected = plane.codes[:, np.arange(9) // 2 * 2]
    assert half.shape == plane.codes.shape
    # Colours are spread over the steps that are seen, and ends are the same to the cell.
    assert np.array_equal(half >= 252, expected >= 252)
    assert np.array_equal(half[half >= 252], expected[half >= 252])


def test_cells_that_all_need_the_same_steps_have_a_colour() -> None:
    shape, at = (2, 2), np.array([1.0, 2.0])
    plane = Plane("lr", "momentum", at, at, np.ones(shape, np.uint8), np.full(shape, 7), True)
    assert (plane.codes == 0).all()


def test_rows_of_a_batch_count_as_work() -> None:
    view = VIEW.changed(others={"batch": {"size": 1000}})
    assert cost_of(view) == 1000 * VIEW.steps
    nx, ny = fine_size(view, (500, 500))
    assert nx * ny * cost_of(view) <= MOST_UPDATES


LONG = fm.Formula(" + ".join(f"sin({k}*x*y)" for k in range(1, 60)), minimisers=[])
PIXELS = (500, 436)


def test_costly_objectives_have_smaller_maps() -> None:
    rosenbrock = VIEW.changed(target=None, steps=20_000)
    costly = rosenbrock.changed(objective=LONG)
    assert cost_of(costly) > 50 * cost_of(rosenbrock)
    for size, most in ((coarse_size, COARSE_UPDATES), (fine_size, MOST_UPDATES)):
        nx, ny = size(costly, PIXELS)
        assert nx * ny * cost_of(costly) <= most or max(nx, ny) == LEAST_CELLS
        assert nx * ny < np.prod(size(rosenbrock, PIXELS)) / 5
    adam = rosenbrock.changed(rule=fm.UpdateRule(name="adam"))
    own = rosenbrock.changed(others={"noise": {"gaussian": 0.1, "common": False}})
    assert cost_of(rosenbrock) < cost_of(adam) < cost_of(own) < cost_of(costly)


@pytest.mark.parametrize(("steps", "coarse", "fine"), [
    (1, (125, 109), (500, 436)), (2000, (125, 109), (500, 436)), (10_000, (60, 52), (478, 417)),
    (100_000, (19, 16), (151, 132)),
])  # fmt: skip
def test_maps_of_rosenbrock_are_as_large_as_they_were(
    steps: int, coarse: tuple[int, int], fine: tuple[int, int]
) -> None:
    view = VIEW.changed(steps=steps)
    assert cost_of(view) == steps
    assert (coarse_size(view, PIXELS), fine_size(view, PIXELS)) == (coarse, fine)


@pytest.mark.parametrize("pixels", [PIXELS, (4096, 16), (16, 4096)])
def test_what_is_more_than_the_limit_is_refused(pixels: tuple[int, int]) -> None:
    costly = VIEW.changed(target=None, objective=LONG)
    with pytest.raises(InputError, match=r"^steps must be at most [\d,]+ here, as") as refused:
        check(costly.changed(steps=100_000))
    assert field_of("objective", str(refused.value)) == "steps"
    most = int(str(refused.value).split()[5].replace(",", ""))
    check(VIEW.changed(steps=100_000))
    check(costly.changed(steps=most))
    nx, ny = fine_size(costly.changed(steps=most), pixels)
    assert nx * ny * most * cost_of(costly.changed(steps=1)) <= 1.02 * MOST_UPDATES
    with pytest.raises(InputError, match="steps must be at most"):
        check(costly.changed(steps=most + 1))


def test_large_batches_are_refused_and_a_single_update_never_is() -> None:
    x = np.arange(2000.0)
    line = fm.MSE.from_arrays(x, 2 * x + np.sin(x))
    view = first_view(line).changed(steps=100_000, others={"batch": {"size": 1500}})
    with pytest.raises(InputError, match="or smaller batches"):
        check(view)
    with pytest.raises(InputError, match="or smaller batches"):
        Source(view.experiment(4, 4))
    check(view.changed(steps=1000))
    require_few_steps(VIEW.changed(steps=1, others={"batch": {"size": 10**9}}))


@pytest.mark.parametrize(("x", "y"), [
    ("lr", "momentum"), ("objective_b", "momentum"), ("start_x", "start_y"), ("start_y", "lr"),
    ("nu", "objective_a"),
])  # fmt: skip
@pytest.mark.parametrize("target", [1e-4, None])
def test_a_map_in_memory_is_that_of_its_results(x: str, y: str, target: float | None) -> None:
    view = VIEW.changed(rule=fm.UpdateRule(name="qhm"), x=x, y=y, steps=300, target=target)
    view = view.fitting()
    assert {view.x, view.y} == {x, y}
    experiment = view.experiment(9, 7)
    with ThreadPoolExecutor(2) as threads:
        arrays = run_unless(experiment, threads, 2, lambda: False)
    assert arrays is not None
    made = plane_in_memory(experiment, arrays, view.x, view.y)
    expected = plane_of(fm.run(experiment), view.x, view.y)
    for name in ("at_x", "at_y", "status", "steps", "codes"):
        assert np.array_equal(getattr(made, name), getattr(expected, name)), name
    assert (made.x, made.y, made.has_target) == (expected.x, expected.y, expected.has_target)
    assert (made.legend, made.note) == (expected.legend, expected.note)


def test_a_page_that_changes_its_size_by_pixels_keeps_its_map() -> None:
    assert "pixels" in QUIET
    inbox = Inbox()
    inbox.put("pixels", {"value": [500, 400]})
    assert inbox.quiet() == [("pixels", {"value": [500, 400]})]


@pytest.mark.parametrize("end", [lambda inbox: inbox.put("steps", {"value": 5}), Inbox.close])
def test_a_pause_ends_with_a_request(end: Callable[[Inbox], None]) -> None:
    inbox = Inbox()
    inbox.pause(0.0)  # nothing waits: as long as was asked for
    pausing = threading.Thread(target=inbox.pause, args=[3600.0], daemon=True)
    pausing.start()
    end(inbox)
    pausing.join(60.0)  # a guard against a hang
    assert not pausing.is_alive()
    inbox.pause(3600.0)  # what waits already is not waited for
