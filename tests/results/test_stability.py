"""Where everything diverges, it is said from which learning rate on; a wild loss is no result."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.results.estimate import plan_lines, plan_of
from fastmomentum.results.info import findings
from fastmomentum.results.stability import in_words, stability_of
from fastmomentum.status import Status
from fastmomentum.theory import largest_stable_lr
from tests.helpers import example_objectives

UNSCALED = (np.linspace(20_000.0, 240_000.0, 24), np.linspace(8_500.0, 3_600.0, 24))


def unscaled(rule: str = "momentum", **fields: object) -> fm.Experiment:
    momentum = {} if rule == "sgd" else {"momentum": [0.0, 0.5, 0.9]}
    return fm.Experiment(
        **{
            "objective": fm.MSE.from_arrays(*UNSCALED),
            "rule": rule,
            "steps": 200,
            "grid": fm.Grid(lr=np.geomspace(1e-4, 1e-1, 8), start=[(0, 0), (1, 1)], **momentum),
        }
        | fields
    )


@pytest.mark.parametrize("rule", sorted(name for name, rule in fm.RULES.items() if rule.form))
def test_runs_on_a_quadratic_diverge_above_it_and_not_below(rule: str) -> None:
    objective = fm.Quadratic(1.0, 0.3, 10.0)
    momenta = [0.0] if rule == "sgd" else [0.0, 0.4, 0.9]
    for momentum in momenta:
        limit = float(largest_stable_lr(objective, rule, momentum))
        grid = {} if rule == "sgd" else {"momentum": momentum}
        ds = fm.run(
            fm.Experiment(
                objective=objective,
                rule=rule,
                steps=60_000,
                grid=fm.Grid(lr=[0.995 * limit, 1.005 * limit], start=[(1.3, 0.7)], **grid),
            )
        )
        assert (ds.status.values.ravel() == Status.DIVERGED).tolist() == [False, True]


@pytest.mark.parametrize("rule", ["sgd", "nesterov"])
def test_the_count_is_that_of_the_grid_laid_out(rule: str) -> None:
    for objective in example_objectives():
        momentum = {} if rule == "sgd" else {"momentum": np.linspace(0, 0.99, 7)}
        plan = fm.Experiment(
            objective=objective,
            rule=rule,
            steps=10,
            grid=fm.Grid(lr=np.geomspace(1e-5, 10, 31), start=[(1, 1), (2, 2)], **momentum),
        )
        found = stability_of(plan)
        if not len(objective.minimisers):
            assert found is None
            continue
        assert found is not None
        rates = [
            fm.theory.predicted_rate(
                objective, rule, plan.grid.lr.points[:, np.newaxis], plan.grid.momenta, at
            )
            for at in objective.minimisers
        ]
        assert found["runs_above"] == 2 * int((np.min(rates, axis=0) >= 1.0).sum())


def test_of_several_minima_the_one_that_allows_most_counts() -> None:
    objective = fm.Himmelblau()
    each = [float(largest_stable_lr(objective, "sgd", 0.0, at)) for at in objective.minimisers]
    assert float(largest_stable_lr(objective, "sgd", 0.0)) == max(each) > min(each)


def test_plan_says_it_and_how_many_runs_lie_above() -> None:
    plan = unscaled()
    figures = plan_of(plan, Path.cwd())
    assert json.loads(json.dumps(figures))["stability"]["runs_above"] == plan.grid.n_runs == 48
    (line,) = [line for line in plan_lines(figures) if line.startswith("stability")]
    low, high = (f"{float(largest_stable_lr(plan.objective, 'momentum', m)):.6g}" for m in (0, 0.9))
    assert line == (
        f"stability     largest stable lr {low} (momentum 0) to {high} (momentum 0.9): "
        "all runs lie above it, and none can settle at a minimum; standardise = true in "
        "[objective] brings the condition number from 1e+11 to 1"
    )


def test_a_rule_without_momentum_names_none() -> None:
    found = stability_of(unscaled("sgd"))
    assert found is not None
    assert "momentum" not in in_words(found)


def test_where_nothing_bounds_it_nothing_is_said() -> None:
    plan = unscaled(objective=fm.MonkeySaddle())
    figures = plan_of(plan, Path.cwd())
    assert figures["stability"] is None
    assert not any("stable" in line for line in plan_lines(figures))


def test_run_says_it_and_tells_no_wild_loss(tmp_path: Path) -> None:
    fm.run(unscaled(), tmp_path / "wild.h5")
    said = findings(tmp_path / "wild.h5")
    assert said[0] == "48 diverged"
    assert re.fullmatch(
        r"largest stable lr \S+ \(momentum 0\) to \S+ \(momentum 0.9\): all runs .*", said[1]
    )
    assert said[2:] == ["no run ended lower than it started"]


def test_a_loss_that_rose_is_no_result(tmp_path: Path) -> None:
    plan = unscaled(steps=2, grid=fm.Grid(lr=1e-9, momentum=0.9, start=[(0, 0), (1, 1)]))
    ds = fm.run(plan, tmp_path / "rising.h5")
    assert (ds.status == Status.MAX_STEPS).all()  # out of steps before the bound
    said = findings(tmp_path / "rising.h5")
    assert said[1].startswith("largest stable lr ")
    assert said[1].endswith("brings the condition number from 1e+11 to 1")
    assert said[2:] == ["no run ended lower than it started"]


@pytest.mark.parametrize("targets", [[], [1e-3]])
def test_where_all_runs_rise_the_bound_is_told(targets: list[float], tmp_path: Path) -> None:
    """Too few steps, or too slowly, to reach the bound beyond which a run has diverged."""
    plan = unscaled(
        objective=fm.Quadratic(),
        steps=3,
        grid=fm.Grid(lr=[0.3, 0.4], momentum=0.0, start=[(1, 1)]),
        stop=fm.Stop(targets=targets),
    )
    ds = fm.run(plan, tmp_path / "rising.h5")
    assert (ds.status == Status.MAX_STEPS).all()
    told = "largest stable lr 0.2 (momentum 0): all runs lie above it, and none can settle at a "
    assert findings(tmp_path / "rising.h5")[1].startswith(told)


def test_a_run_that_fell_is_told_among_others(tmp_path: Path) -> None:
    plan = unscaled(
        objective=fm.Quadratic(),
        grid=fm.Grid(lr=[0.01, 1.0], momentum=0.0, start=[(0.0, 1.0), (3.0, 1.0)]),
    )
    ds = fm.run(plan, tmp_path / "mixed.h5")
    said = findings(tmp_path / "mixed.h5")
    assert said[1] == "largest stable lr 0.2 (momentum 0): 2 of 4 runs lie above it"
    lowest = float(ds.final_loss.where(ds.status != Status.DIVERGED).min())
    assert said[2] == f"lowest loss {lowest:.6g} at lr 0.01, momentum 0, start (0, 1)"


def test_where_nothing_diverges_the_bound_is_not_told(tmp_path: Path) -> None:
    plan = unscaled(objective=fm.Quadratic(), grid=fm.Grid(lr=0.01, momentum=0.0, start=[(1, 1)]))
    fm.run(plan, tmp_path / "calm.h5")
    assert not any("stable" in line for line in findings(tmp_path / "calm.h5"))


def test_a_grid_of_billions_is_not_laid_out() -> None:
    plan = unscaled(
        objective=fm.Quadratic(),
        grid=fm.Grid(
            lr={"logspace": [1e-3, 1.0], "num": 100_000},
            momentum={"linspace": [0, 0.9], "num": 10_000},
            start=[(1, 1)],
        ),
    )
    found = stability_of(plan)
    assert found is not None
    assert 0 < found["runs_above"] < plan.grid.n_runs == 10**9


def test_of_a_rule_without_theory_nothing_is_said() -> None:
    grid = fm.Grid(lr=[0.1, 1.0], momentum=0.9, start=[(1, 1)])
    plan = fm.Experiment(objective=fm.Booth(), rule="adam", steps=10, grid=grid)
    assert stability_of(plan) is None


def in_batches(draw: str, size: int = 1, **fields: object) -> fm.Experiment:
    random = np.random.default_rng(3)
    x = random.uniform(-1.0, 2.0, 40)
    return fm.Experiment(
        **{
            "objective": fm.MSE.from_arrays(x, 2.0 * x + 1.0 + random.standard_normal(40)),
            "rule": "momentum",
            "steps": 2000,
            "grid": fm.Grid(lr=np.geomspace(0.02, 3.0, 20), momentum=[0.0, 0.5], start=[(0, 0)]),
            "batch": {"size": size, "draw": draw},
        }
        | fields
    )


def test_of_independent_batches_it_is_the_limit_in_the_mean_square(tmp_path: Path) -> None:
    plan = in_batches("replacement")
    rows = fm.theory.row_terms(plan.objective).hessians
    low, high = fm.theory.mean_square_limit("momentum", [0.0, 0.5], rows, 1)
    assert low > high
    lr = plan.grid.lr.points[:, np.newaxis]
    radius = fm.theory.mean_square_radius("momentum", lr, [0.0, 0.5], rows, 1)
    found = stability_of(plan)
    assert found is not None
    assert found["runs_above"] == int((radius >= 1.0).sum())
    line = (
        f"largest lr stable in the mean square {high:.6g} (momentum 0.5) to {low:.6g} (momentum "
        f"0): {found['runs_above']} of 40 runs lie above it"
    )
    assert in_words(found).startswith(line)
    assert any(line in said for said in plan_lines(plan_of(plan, Path.cwd())))
    fm.run(plan, tmp_path / "wild.h5")  # the file has the rows, and says the same
    assert findings(tmp_path / "wild.h5")[1] == in_words(found)


def test_of_other_batches_it_is_said_to_be_that_of_the_full_gradient() -> None:
    shuffled = stability_of(in_batches("shuffle", 4))
    assert shuffled is not None
    assert in_words(shuffled).startswith("largest stable lr of the full gradient ")
    above = in_batches("shuffle", 4, grid=fm.Grid(lr=[50.0, 60.0], momentum=0.5, start=[(0, 0)]))
    found = stability_of(above)
    assert found is not None
    assert "all runs lie above it" in in_words(found)
    assert "none can settle" not in in_words(found)
    whole = stability_of(in_batches("shuffle", 40))
    assert whole is not None
    assert "of" not in whole
    assert in_words(whole).startswith("largest stable lr ")
    many = fm.Grid(lr=[0.1], momentum={"linspace": [0, 0.9], "num": 5000}, start=[(0, 0)])
    long = stability_of(in_batches("replacement", grid=many))  # too many to seek each
    assert long is not None
    assert "of the full gradient" in in_words(long)
    lost = in_batches("replacement").model_copy(
        update={"objective": fm.MSE(**in_batches("replacement").objective.model_dump())}
    )
    found = stability_of(lost)
    assert found is not None
    assert "of the full gradient" in in_words(found)


def test_only_what_a_limit_depends_on_is_named() -> None:
    """At nu = 0 qhm is sgd, and rounding alone chooses among the momenta."""
    plan = fm.Experiment(
        objective="quadratic",
        rule="qhm",
        steps=5,
        grid=fm.Grid(
            lr=[0.001, 0.01],
            momentum=np.linspace(0.0, 0.9, 46),
            start=[(1, 1)],
            rule={"nu": [0.0, 0.5, 1.0]},
            objective={"hyy": [10.0, 100.0]},
        ),
    )
    found = stability_of(plan)
    assert found is not None
    assert found["momentum"][0] is None
    assert found["at"][0] == {"nu": 0.0, "objective_hyy": 100.0}
    assert found["momentum"][1] == 0.9
    assert found["at"][1] == {"nu": 1.0, "objective_hyy": 10.0}
    low, high = found["lr"]
    assert in_words(found) == (
        f"largest stable lr {low:.6g} (nu 0, objective_hyy 100) to {high:.6g} (momentum 0.9, nu 1, "
        "objective_hyy 10): 0 of 552 runs lie above it"
    )


def test_what_a_limit_does_not_depend_on_at_all_is_not_named() -> None:
    plan = fm.Experiment(
        objective="quadratic",
        rule="qhm",
        steps=5,
        grid=fm.Grid(
            lr=[0.001, 0.01],
            momentum=[0.1, 0.2, 0.3],
            start=[(1, 1)],
            rule={"nu": [0.0]},
            objective={"hxx": [0.1, 0.2]},
        ),
    )
    found = stability_of(plan)
    assert found is not None
    assert found["momentum"] == [None, None]
    assert found["at"] == [{"nu": 0.0}, {"nu": 0.0}]
    assert in_words(found).startswith(f"largest stable lr {found['lr'][0]:.6g} (nu 0): 0 of 12")
