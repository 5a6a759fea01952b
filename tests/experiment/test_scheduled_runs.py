"""Schedules of an experiment: the same bits, whatever way they are computed; what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.execution import runner
from fastmomentum.execution.progress import Progress
from fastmomentum.experiment.toml import load
from fastmomentum.kernels import block
from fastmomentum.reference import descend
from fastmomentum.results import digest
from fastmomentum.results.estimate import plan_lines, plan_of
from fastmomentum.results.stability import stability_of
from fastmomentum.schedules import LR_SCHEDULES, MOMENTUM_SCHEDULES
from tests.helpers import made_with, same_bits
from tests.schedules.test_schedules import LR_FORMS, MOMENTUM_FORMS

LR = {name: {"kind": name, **fields} for name, (fields, _) in LR_FORMS.items()}
MOMENTA = {name: {"kind": name, **fields} for name, (fields, _) in MOMENTUM_FORMS.items()}
WARM_UP = [{"kind": "linear", "first": 0.1, "last": 1.0, "steps": 100}, LR["cosine_restarts"]]
COSINE = {"lr": {"kind": "cosine", "steps": 300, "final": 0.1}}


def scheduled(**changes: Any) -> fm.Experiment:
    fields: dict[str, Any] = {
        "objective": "rosenbrock",
        "rule": "nesterov",
        "steps": 400,
        "grid": {"lr": [1e-4, 1e-3], "start": [[-1.2, 1.0], [0.5, 0.5]]},
        "schedule": {"lr": WARM_UP, "momentum": {"kind": "nesterov"}},
        "stop": {"targets": [1e-2, 1e-4]},
    }
    return fm.Experiment.parse(fields | changes)


def agree(experiment: fm.Experiment) -> None:
    """Every run, to the bit, with the slow one."""
    ds = fm.run(experiment, n_jobs=1)
    lr, momentum, start, velocity = made_with(experiment.grid)
    want = descend(
        experiment.objective, experiment.rule, lr, momentum, start, experiment.steps,
        experiment.stop.targets, experiment.stop.bound, velocity,
        schedule=experiment.schedule,
    )  # fmt: skip
    for name in ("status", "n_steps", "final_loss", "final", "hit_step", "n_restarts"):
        if name in ds:
            wanted = getattr(want, name)
            np.testing.assert_array_equal(ds[name].values.reshape(wanted.shape), wanted, name)


@pytest.mark.parametrize("name", LR)
def test_every_schedule_of_the_learning_rate_gives_the_bits_of_the_reference(name: str) -> None:
    grid = {"lr": [1e-4, 1e-3], "momentum": [0.0, 0.9], "start": [[-1.2, 1.0]]}
    agree(scheduled(schedule={"lr": LR[name]}, grid=grid))


@pytest.mark.parametrize("name", MOMENTA)
def test_every_schedule_of_the_momentum_gives_the_bits_of_the_reference(name: str) -> None:
    agree(scheduled(schedule={"momentum": MOMENTA[name]}))


# A rule is handed learning rate and momentum, and does not know where they come from: of each shape
# one, with and without momentum, with its own states, looking ahead, and summing gradients.
@pytest.mark.parametrize("rule", ["sgd", "nesterov", "pytorch", "adam"])
def test_rules_follow_schedules(rule: str) -> None:
    both = {"lr": WARM_UP, "momentum": MOMENTA["one_cycle"]}
    schedule = both if fm.RULES[rule].uses_momentum else {"lr": WARM_UP}
    options = {"decoupled_weight_decay": 0.01, "weight_decay": 0.1}
    agree(scheduled(schedule=schedule, rule={"name": rule, **options}))


@pytest.mark.parametrize(
    ("rule", "restart", "kind", "checked"),
    [
        ("momentum", "function", "nesterov", True),
        ("sutskever", "gradient", "su_boyd_candes", True),
        ("pytorch", "gradient", "nesterov", False),
    ],
)
def test_a_restart_begins_the_momentum_anew_and_not_the_learning_rate(
    rule: str, restart: str, kind: str, checked: bool
) -> None:
    stop = {"targets": [1e-2, 1e-4]} if checked else {"bound": False}
    schedule = {"lr": WARM_UP, "momentum": {"kind": kind}}
    agree(scheduled(schedule=schedule, rule={"name": rule, "restart": restart}, stop=stop))


def test_stretches_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run's factors are never all in memory."""
    experiment = scheduled(record={"steps": [0, 1, 99, 100, 399, 400]})
    whole = fm.run(experiment, n_jobs=1)
    for stretch in (1, 7, 100, 256, 399):
        monkeypatch.setattr(block, "STRETCH", stretch)
        assert digest(fm.run(experiment, n_jobs=1)) == digest(whole)


def test_jobs_blocks_and_files_give_the_same_bits(tmp_path: Path) -> None:
    experiment = scheduled(rule=RESTARTED)
    whole = fm.run(experiment, n_jobs=1)
    there = tmp_path / "scheduled.h5"
    fm.run(experiment, there, n_jobs=2, block_runs=1)
    with fm.open(there) as ds:
        found = ds.load()
    assert digest(found) == digest(whole)
    assert found.momentum.values.tolist() == [0.0]
    assert fm.experiment_of(found) == experiment
    one = fm.replay(found, lr=1e-3, start=(0.5, 0.5))
    want = found.sel(lr=1e-3).isel(momentum=0, start=1)
    assert one.final.values.tolist() == want.final.values.tolist()
    assert int(one.n_restarts) == int(want.n_restarts)
    other = scheduled(schedule={"momentum": {"kind": "nesterov"}})
    assert experiment.sha256 != other.sha256


RESTARTED = {"name": "sutskever", "restart": "gradient"}


def test_an_interrupted_run_goes_on_in_its_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "COMMIT_SECONDS", 0.0)
    experiment, there = scheduled(rule=RESTARTED), tmp_path / "scheduled.h5"

    def stop(progress: Progress) -> None:
        if progress.done_runs == 2:
            raise KeyboardInterrupt

    with pytest.raises(fm.Interrupted):
        fm.run(experiment, there, n_jobs=1, block_runs=1, progress=stop)
    assert not there.exists()
    begun: list[int] = []
    again = fm.Experiment.from_canonical(experiment.canonical)
    with fm.run(again, there, n_jobs=1, progress=lambda at: begun.append(at.done_runs)) as ds:
        same_bits(ds, fm.run(experiment, n_jobs=1))
    assert begun[0] == 2  # of four: what was there was kept


def test_runs_are_replayed_from_summaries_alone() -> None:
    ds = fm.run(scheduled(rule=RESTARTED), n_jobs=1)
    assert "trajectory" not in ds
    assert (ds.n_restarts > 0).any()
    for lr in ds.lr.values:
        for start in ds.start.values:
            one, cell = fm.replay(ds, lr=lr, start=int(start)), ds.sel(lr=lr, start=start)
            for name in ("status", "n_steps", "n_restarts", "final_loss", "final", "hit_step"):
                assert one[name].values.tobytes() == cell[name].values.tobytes(), name
            last = one.trajectory.isel(step=int(one.n_steps))
            assert last.values.tobytes() == cell.final.values.tobytes()


def test_the_plan_says_it_and_reads_it_back(tmp_path: Path) -> None:
    experiment = scheduled()
    assert fm.Experiment.from_canonical(experiment.canonical) == experiment
    assert json.loads(experiment.canonical)["schedule"] == {
        "lr": WARM_UP, "momentum": {"kind": "nesterov"},
    }  # fmt: skip
    assert "schedule      lr linear 100, then" in "\n".join(
        plan_lines(plan_of(experiment, tmp_path))
    )
    assert "schedule" not in json.loads(scheduled(**PLAIN).canonical)
    said = experiment.difference(scheduled(schedule={"momentum": {"kind": "nesterov"}}))
    assert said.startswith("schedule.lr is [")


PLAIN: dict[str, Any] = {
    "schedule": None,
    "grid": {"lr": [1e-3], "momentum": [0.9], "start": [[-1.2, 1.0]]},
}


def test_an_experiment_file(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        'steps = 400\nobjective = "booth"\nrule = "nesterov"\n'
        "[grid]\nlr = [0.01]\nstart = [[1, 1]]\n"
        '[schedule]\nlr = { kind = "cosine", steps = 400 }\nmomentum = { kind = "nesterov" }\n'
    )
    found = load(path, ["schedule.lr.steps=200"]).schedule
    assert found is not None
    assert found.words == "lr cosine 200; momentum nesterov"


def test_su_boyd_and_candes_iteration_to_the_digit() -> None:
    """w_k = y_(k-1) - lr grad(y_(k-1)); y_k = w_k + (k - 1)/(k + 2) (w_k - w_(k-1))."""
    hessian, lr, steps = np.array([1.0, 0.25]), 0.5, 60
    w = y = np.array([1.0, -2.0])
    for k in range(1, steps + 1):
        before, w = w, y - lr * (hessian * y)
        y = w + (k - 1) / (k + 2) * (w - before)
    found = fm.run(
        scheduled(
            objective={"name": "quadratic", "hxx": 1.0, "hxy": 0.0, "hyy": 0.25}, rule="sutskever",
            steps=steps, grid={"lr": [lr], "start": [[1.0, -2.0]]}, stop={},
            schedule={"momentum": {"kind": "su_boyd_candes"}},
        ),
        n_jobs=1,
    )  # fmt: skip
    np.testing.assert_allclose(found.final.values.squeeze(), w, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule": "sgd"}, "schedule.momentum must be left out, as the rule sgd has no momentum"),
        ({"rule": "adagrad"}, "schedule.momentum must be left out, as the rule adagrad has no"),
        (
            {"grid": {"lr": [0.1], "momentum": [0.9], "start": [[1, 1]]}},
            "grid.momentum must be left out, as schedule.momentum gives",
        ),
        (
            {
                "rule": {"name": "nesterov", "restart": "function"},
                "schedule": {"momentum": MOMENTA["demon"]},
            },
            "schedule.momentum must be nesterov or su_boyd_candes where rule.restart restarts it",
        ),
        (
            {"schedule": {"lr": {"kind": "cosine", "steps": -5}}},
            "schedule.lr.steps must be at least 1: got -5",
        ),
        ({"schedule": {"lr": {"kind": "cosinus", "steps": 5}}}, "did you mean 'cosine'"),
        ({"schedule": {}}, "schedule must have lr, momentum or both: got neither"),
        ({"schedule": {"rate": 1}}, "schedule.rate: no such key; known are lr, momentum"),
        ({"schedule": COSINE}, "grid.momentum is missing; the rule nesterov needs it"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        scheduled(**changes)
    lines = str(caught.value).splitlines()
    assert any(said in line for line in lines), lines
    assert len(lines) == 1 or "cosin" in said or changes == {"schedule": COSINE}


def test_there_is_no_theory_with_a_schedule() -> None:
    plain = scheduled(**PLAIN)
    changing = scheduled(**PLAIN | {"schedule": COSINE})
    assert plain.form is not None
    assert changing.form is None
    assert stability_of(plain) is not None
    assert stability_of(changing) is None
    with pytest.raises(InputError, match="these results have a schedule"):
        fm.analysis.predicted_rate(fm.run(changing, n_jobs=1))


def test_forms_part_where_the_learning_rate_changes() -> None:
    """The example of the docs; with a constant rate they take one path."""
    ends = {}
    for rule, lr in (("momentum", 1e-3), ("pytorch", 1e-3), ("ema", 1e-2)):
        for schedule in (None, {"lr": {"kind": "cosine", "steps": 400}}):
            grid = {"lr": [lr], "momentum": [0.9], "start": [[-1.2, 1.0]]}
            ds = fm.run(scheduled(rule=rule, grid=grid, schedule=schedule, stop={}), n_jobs=1)
            ends[rule, schedule is None] = float(ds.final_loss.squeeze())
    np.testing.assert_allclose(ends["momentum", True], ends["pytorch", True], rtol=1e-9)
    np.testing.assert_allclose(ends["momentum", True], ends["ema", True], rtol=1e-9)
    np.testing.assert_allclose(ends["pytorch", False], ends["ema", False], rtol=1e-9)
    said = {"momentum": 0.0331, "pytorch": 0.0373}  # as the README has it
    for rule, loss in said.items():
        assert f"{ends[rule, True]:.3g}" == "0.00453"
        assert f"{ends[rule, False]:.3g}" == f"{loss:g}"


def test_convert_refuses_a_schedule() -> None:
    with pytest.raises(InputError, match=r"with a schedule \(lr cosine 300\) momentum and pytorch"):
        fm.theory.convert("momentum", "pytorch", 0.1, 0.9, schedule=COSINE)
    assert fm.theory.convert("ema", "ema", 0.1, 0.9, schedule=COSINE).lr == 0.1


def test_registries_are_all_tried() -> None:
    assert set(LR) == set(LR_SCHEDULES)
    assert set(MOMENTA) == set(MOMENTUM_SCHEDULES)
