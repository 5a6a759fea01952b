"""What a stranger writes in the first hour gives a right result, or a line that helps."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import Progress as Bar

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.cli.exit_status import in_command_words
from fastmomentum.datasets import NoisyLine
from fastmomentum.execution.progress import Progress
from fastmomentum.execution.progress_bar import progress_bar
from fastmomentum.objectives import OWN_FUNCTION, Objective
from fastmomentum.schedules import Cosine, Schedule, Scheduled
from fastmomentum.specification.base import Specification


def fields(one: fm.Experiment) -> dict[str, Any]:
    return {name: getattr(one, name) for name in fm.Experiment.model_fields}


def plan(**changes: Any) -> fm.Experiment:
    fields: dict[str, Any] = {
        "objective": fm.Quadratic(),
        "rule": "momentum",
        "steps": 20,
        "grid": fm.Grid(lr=[0.01, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
    }
    return fm.Experiment(**(fields | changes))


# Nothing is stored under another's name.


class Bowl(fm.Rosenbrock):
    """Rosenbrock's by name, and another function."""

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        return x * x + y * y


class Nameless(Objective):
    """Of no registry."""

    name: str = "nameless"


class OwnRule(fm.UpdateRule):
    """A rule by another class."""


class OwnGrid(fm.Grid):
    """A grid by another class."""


class OwnAxis(fm.Axis):
    """An axis by another class."""


class OwnMesh(fm.Mesh):
    """A mesh by another class."""


class OwnStop(fm.Stop):
    """Stop rules by another class."""


class OwnRecord(fm.Record):
    """Recorded steps by another class."""


class OwnLine(NoisyLine):
    """Points of one's own."""


class OwnNoise(fm.Noise):
    """Noise by another class."""


class OwnBatch(fm.Batch):
    """Batches by another class."""


class OwnSchedule(Schedule):
    """A schedule by another class."""


class OwnCosine(Cosine):
    """A kind of schedule by another class."""


class OwnFormula(fm.Formula):
    """A formula by another class."""


class OwnExperiment(fm.Experiment):
    """An experiment by another class."""


def valley(x: float, y: float) -> float:
    return x * x + y * y


def points() -> fm.MSE:
    return fm.MSE.from_arrays([0.0, 1.0, 2.0], [1.0, 3.0, 5.5])


LINE: dict[str, Any] = {
    "num_points": 3, "x_mid": 1, "x_range": 1, "y_weight": 1, "noise_range": 1,
}  # fmt: skip
CELL: dict[str, Any] = {"lr": 0.1, "momentum": 0.5, "start": [(1, 1)]}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: plan(objective=Bowl()),
            f"objective must be one of fm.OBJECTIVES: got the class Bowl; {OWN_FUNCTION}",
        ),
        (
            lambda: plan().model_copy(update={"objective": Bowl()}),
            f"objective must be one of fm.OBJECTIVES: got the class Bowl; {OWN_FUNCTION}",
        ),
        (
            lambda: plan(objective=Nameless()),
            f"objective must be one of fm.OBJECTIVES: got the class Nameless; {OWN_FUNCTION}",
        ),
        (
            lambda: plan(objective=valley),
            f"objective must be an objective: got the function valley; {OWN_FUNCTION}",
        ),
        (
            lambda: plan(rule=OwnRule(name="momentum")),
            "rule must be of the class UpdateRule: got its subclass OwnRule; take one of fm.RULES "
            "by its name, such as rule='momentum'",
        ),
        (
            lambda: plan(
                rule=dataclasses.replace(fm.RULES["momentum"], update=fm.RULES["sgd"].update)
            ),
            "rule must be a rule of fm.RULES: got another Rule named 'momentum'; take one of "
            "fm.RULES by its name, such as rule='momentum'",
        ),
        (
            lambda: plan(grid=OwnGrid(**CELL)),
            "grid must be of the class Grid: got its subclass OwnGrid; make it with fm.Grid(...)",
        ),
        (
            lambda: fm.Grid(**CELL | {"lr": OwnAxis(values=[0.1])}),
            "lr must be of the class Axis: got its subclass OwnAxis; make it with fm.Axis(...)",
        ),
        (
            lambda: fm.Grid(**CELL | {"start": OwnMesh(x=1, y=1)}),
            "start must be of the class Mesh: got its subclass OwnMesh; make it with fm.Mesh(...)",
        ),
        (
            lambda: plan(stop=OwnStop()),
            "stop must be of the class Stop: got its subclass OwnStop; make it with fm.Stop(...)",
        ),
        (
            lambda: plan(record=OwnRecord(every=1)),
            "record must be of the class Record: got its subclass OwnRecord; make it with "
            "fm.Record(...)",
        ),
        (
            lambda: plan(noise=OwnNoise(gaussian=0.1)),
            "noise must be of the class Noise: got its subclass OwnNoise; make it with "
            "fm.Noise(...)",
        ),
        (
            lambda: plan(objective=points(), batch=OwnBatch(size=2)),
            "batch must be of the class Batch: got its subclass OwnBatch; make it with "
            "fm.Batch(...)",
        ),
        (
            lambda: plan(schedule=OwnSchedule(lr={"kind": "cosine", "steps": 9})),
            "schedule must be of the class Schedule: got its subclass OwnSchedule; give a table, "
            "or make it with fastmomentum.schedules.Schedule(...)",
        ),
        (
            lambda: plan(schedule={"lr": OwnCosine(steps=9)}),
            "schedule.lr must be of the class Cosine: got its subclass OwnCosine, which no file "
            "can store",
        ),
        (
            lambda: plan(objective=OwnFormula("x^2 + y^2")),
            f"objective must be one of fm.OBJECTIVES: got the class OwnFormula; {OWN_FUNCTION}",
        ),
        (
            lambda: fm.MSE(data=OwnLine(**LINE)),
            "data must be of the class NoisyLine: got its subclass OwnLine; draw the points "
            "yourself, and use fm.MSE.from_arrays",
        ),
        (
            lambda: fm.run(
                OwnExperiment(**{k: getattr(plan(), k) for k in fm.Experiment.model_fields})
            ),
            "experiment must be of the class Experiment: got its subclass OwnExperiment, which no "
            "file can store; make it with fm.Experiment(...)",
        ),
    ],
)
def test_what_would_be_stored_under_another_name(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        make()
    assert str(caught.value) == message


def kinds_below(kind: type[Specification]) -> Iterator[type[Specification]]:
    for one in kind.__subclasses__():
        yield one
        yield from kinds_below(one)


def test_what_is_advised_in_place_of_a_subclass_is_there() -> None:
    # Those that no caller makes, or that are refused before: parts of a formula's canonical form,
    # of an mse, kinds of schedules.
    inner = {"CanonicalForm", "Scaling", "Statistics", "Table"}
    ours = [one for one in kinds_below(Specification) if one.__module__.startswith("fastmomentum")]
    plain = {one.__name__ for one in ours if not one.another and not issubclass(one, Scheduled)}
    assert {"Noise", "Batch", "Grid", "Axis", "Stop", "Record"} <= plain
    assert {name for name in plain - inner if not hasattr(fm, name)} == set()


def test_what_is_registered_still_goes() -> None:
    rule = fm.RULES["momentum"]
    assert plan(rule=rule) == plan(rule="momentum") == plan(rule=fm.UpdateRule(name="momentum"))
    assert plan(objective="quadratic") == plan(objective={"name": "quadratic"}) == plan()
    assert float(Bowl().value(1.0, 2.0)) == 5.0  # theory and pictures may have one's own


# By name.


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: fm.Rosenbrock(1, 10),
            "Rosenbrock takes its arguments by name: write Rosenbrock(a=1, b=10)",
        ),
        (
            lambda: fm.Rosenbrock(1, 10, 100),
            "Rosenbrock takes its arguments by name: write Rosenbrock(a=..., b=...), with those "
            "that you need",
        ),
        (
            lambda: fm.Quadratic(1, 2, 3, 4),
            "Quadratic takes its arguments by name: write Quadratic(hxx=..., hxy=..., hyy=...), "
            "with those that you need",
        ),
        (lambda: fm.Beale(3), "Beale takes no arguments: write Beale()"),
        (
            lambda: fm.UpdateRule("momentum"),
            "UpdateRule takes its arguments by name: write UpdateRule(name='momentum')",
        ),
        (
            lambda: fm.UpdateRule("qhm", nu=1),
            "UpdateRule takes its arguments by name: write UpdateRule(name='qhm', nu=1)",
        ),
        (
            lambda: fm.UpdateRule("qhm", restart="function", nu=1),
            "UpdateRule takes its arguments by name: write UpdateRule(name='qhm', "
            "restart='function', nu=1)",
        ),
        (
            lambda: fm.UpdateRule("qhm", "function", "more", nu=1),
            "UpdateRule takes its arguments by name: write UpdateRule(name=..., nu=...), with "
            "those that you need",
        ),
        (
            lambda: fm.Rosenbrock(1, a=2),
            "Rosenbrock has two values for a: drop the one without a name",
        ),
        (lambda: fm.Beale(3, a=1), "Beale takes no arguments: write Beale()"),
        (
            lambda: fm.Experiment(fm.Rosenbrock(), "momentum", 5),
            "Experiment takes its arguments by name: write Experiment(steps=..., objective=..., "
            "rule=..., grid=..., title=..., record=..., stop=..., noise=..., "
            "batch=..., schedule=...), with those that you need",
        ),
        (
            lambda: fm.Grid([0.1], [0.9], [(1, 1)]),
            "Grid takes its arguments by name: write Grid(lr=..., start=..., momentum=..., "
            "velocity=..., rule=..., objective=..., cells=..., seed=...), with those that you need",
        ),
    ],
)
def test_arguments_without_names(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        make()
    assert str(caught.value) == message


# Running.

TOML = """
steps = 20
objective = { name = "quadratic" }
rule = { name = "momentum" }
[grid]
lr = [0.01, 0.1]
momentum = [0.0, 0.5]
start = [[1.0, 1.0]]
"""


def test_an_experiment_file_runs_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "bowl.toml"
    file.write_text(TOML)
    expected = fm.results.digest(fm.run(plan()))
    for given in (file, str(file)):
        assert fm.results.digest(fm.run(given)) == expected
    assert fm.results.digest(fm.run(str(file), str(tmp_path / "out.h5"))) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fm.run("out.h5"),
            "out.h5 is a results file, to judge by its name; name an experiment file (.toml), or "
            "open the results with fm.open",
        ),
        (
            lambda: fm.run("no.toml"),
            "no.toml: no such file; correct the path or create it",
        ),
        (
            lambda: fm.run({"steps": 5}),
            "experiment must be an fm.Experiment or the path of an experiment file: got a dict; "
            "make one with fm.Experiment.parse(...)",
        ),
        (
            lambda: fm.run(plan(), n_jobs="2"),
            "n_jobs must be a number: got '2'; write it without quotes",
        ),
        (
            lambda: fm.run(plan(), block_runs=1.5),
            "block_runs must be a whole number: got 1.5",
        ),
        (
            lambda: fm.run(plan(), backend=["threads"]),
            "backend must be one of threads, processes, dask: got ['threads']",
        ),
        (
            lambda: fm.run(plan(), overwrite="no"),
            "overwrite must be True or False: got 'no'",
        ),
        (
            lambda: fm.run(plan(), progress="yes"),
            "progress must be True or False: got 'yes'",
        ),
        (
            lambda: fm.run(plan(), plan()),
            "path must be the path of a file, as text: got an Experiment",
        ),
        (lambda: fm.open(3), "path must be the path of a file, as text: got an int"),
        (
            lambda: fm.verify(None),
            "path must be the path of a file, as text: got nothing",
        ),
        (lambda: fm.load(3), "path must be the path of a file, as text: got an int"),
        (
            lambda: fm.select_cell("out.h5", lr=0.1),
            "results must be a Dataset: got a str; open it with fm.open('out.h5')",
        ),
        (lambda: fm.analysis.best(3), "results must be a Dataset: got an int"),
        (
            lambda: fm.theory.eigenvalues("rosenbrock"),
            "objective must be one such as fm.Rosenbrock(): got a str",
        ),
        (
            lambda: fm.theory.eigenvalues(fm.Rosenbrock),
            "objective must be one such as fm.Rosenbrock(): got the class Rosenbrock",
        ),
        (
            lambda: fm.reference.descend(fm.Rosenbrock(), "sgd", 0.1, 0.0, (1, 1), "3"),
            "steps must be a number: got '3'; write it without quotes",
        ),
        (
            lambda: fm.datasets.load_csv(3, "x", "y"),
            "path must be the path of a file, as text: got an int",
        ),
    ],
)
def test_calls_that_cannot_be_meant(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        call()
    assert str(caught.value) == message


def test_other_results_are_in_the_way_in_pythons_words(tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    fm.run(plan(), path).close()
    with pytest.raises(fm.InputError, match=r"or replace it with overwrite=True$") as caught:
        fm.run(plan(steps=30), path)
    assert in_command_words(str(caught.value)).endswith("or replace it with --overwrite")
    assert in_command_words("compute the rest with verify, repair=True").endswith("verify --repair")


# Drawing.


def field() -> plots.Field:
    return plots.sample(fm.Quadratic(), ((-1, 1), (-1, 1)), points=11)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda ax, ds: plots.contour(ax, ds),
            "contour: field must be a Field, such as fm.plots.sample(objective, window): got a "
            "Dataset",
        ),
        (
            lambda ax, _: plots.contour(field(), ax),
            "contour(ax, field) takes its arguments in this order: got for ax what field must be",
        ),
        (
            lambda ax, _: plots.contour(ax),
            "contour(ax, field): missing a required argument: 'field'",
        ),
        (
            lambda ax, ds: plots.phase_map(ds, ax),
            "phase_map(ax, results, x, y, norm) takes its arguments in this order: got for ax what "
            "results "
            "must be",
        ),
        (
            lambda ax, ds: plots.rate_map(ax, ds),
            "rate_map: rates must be a DataArray, such as fm.analysis.measured_rate(ds).rate: got "
            "a Dataset",
        ),
        (
            lambda ax, ds: plots.paths(ax, [ds], field()),
            "paths: runs must be a list of Runs, such as [fm.plots.run_of(fm.replay(ds))]: got a "
            "list",
        ),
        (
            lambda ax, ds: plots.theory_lines(ax, ds, "momentum"),
            "theory_lines: objective must be an objective, such as fm.Rosenbrock(): got a Dataset",
        ),
        (
            lambda _, ds: plots.sample(ds, ((-1, 1), (-1, 1))),
            "sample: objective must be an objective, such as fm.Rosenbrock(): got a Dataset",
        ),
        (
            lambda _, ds: plots.basin_map(Figure(), ds),
            "basin_map: ax must be an Axes of matplotlib: got a Figure",
        ),
        (
            lambda *_: plots.run_of(plan()),
            "run_of: cell must be one cell of results, from fm.select_cell or fm.replay: got an "
            "Experiment",
        ),
    ],
)
def test_drawing_functions_say_what_was_wrong(draw: Callable[..., Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        draw(Figure().add_subplot(), fm.run(plan()))
    assert str(caught.value) == message


# Resuming.


def test_the_bar_of_a_resumed_run_counts_its_own_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """900 of 1,000 runs were there, and 10 are done a second: 7 s are left, not a tenth of one."""
    now, bars = [100.0], []

    class Watched(Bar):
        def __init__(self, *columns: Any, **options: Any) -> None:
            super().__init__(*columns, **options | {"get_time": lambda: now[0]})
            bars.append(self)

    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr("fastmomentum.execution.progress_bar.Console", lambda **_: console)
    monkeypatch.setattr("fastmomentum.execution.progress_bar.Bar", Watched)
    experiment = plan(grid=fm.Grid(lr=np.linspace(1e-3, 1e-2, 1000), momentum=0.0, start=[(1, 1)]))
    with progress_bar(experiment) as show:
        for done in (900, 910, 920, 930):
            show(Progress(1000, 900, done, steps=1, seconds=now[0] - 100.0))
            now[0] += 1.0
        (task,) = bars[0].tasks
        assert task.completed == 930
        assert task.time_remaining == 7


def test_a_resumed_run_tells_its_own_runs(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    from fastmomentum.cli.running import run_and_tell

    path = tmp_path / "out.h5"
    grid = fm.Grid(lr=np.linspace(1e-3, 1e-2, 1000), momentum=0.0, start=[(1, 1)])

    def stop(progress: Progress) -> None:
        if progress.done_runs:
            raise KeyboardInterrupt

    experiment = plan(grid=grid)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastmomentum.execution.runner.COMMIT_SECONDS", 0.0)
        with pytest.raises(fm.Interrupted):
            fm.run(experiment, path, n_jobs=1, block_runs=100, progress=stop)
    run_and_tell(experiment, path, n_jobs=1)
    out = capsys.readouterr().out
    new, kept = re.search(
        r"out\.h5: (\d+) runs in .* \((\d+) more were done before\)", out
    ).groups()
    assert int(new) + int(kept) == 1000
    assert 100 <= int(kept) < 1000


# Showing.


def test_a_long_axis_is_shown_as_a_range() -> None:
    grid = fm.Grid(
        lr=np.geomspace(1e-4, 1e-2, 64),
        momentum=fm.Axis(linspace=(0.0, 0.9), num=64),
        start=np.stack([np.arange(50.0), np.zeros(50)], axis=-1),
    )
    experiment = plan(grid=grid, record=fm.Record(steps=range(0, 20, 2)))
    assert repr(experiment.grid) == (
        "Grid(lr=Axis(values=<64 from 0.0001 to 0.01, evenly spaced in the logarithm>), "
        "momentum=Axis(linspace=(0.0, 0.9), num=64), "
        "start=<50 points, from (0, 0) to (49, 0)>)"
    )
    assert "steps=<10 from 0 to 18, evenly spaced>" in repr(experiment)
    assert len(repr(experiment)) < 500
    assert repr(fm.Axis(values=[3.0, 1.0])) == "Axis(values=(3.0, 1.0))"
    uneven = fm.Axis(values=[1, 2, 4, 5, 7, 8, 9])
    assert repr(uneven) == "Axis(values=<7 from 1 to 9>)"


def test_notebooks_show_a_short_summary() -> None:
    experiment = plan(
        title="<b> & more",
        objective=fm.Rosenbrock(b=20),
        grid=fm.Grid(lr=np.geomspace(1e-4, 1e-2, 64), momentum=0.9, start={"x": [0, 1], "y": 1}),
        stop=fm.Stop(targets=[1e-4]),
        record=fm.Record(every=10),
    )
    assert experiment.summary == {
        "title": "<b> & more",
        "objective": "rosenbrock, b = 20",
        "rule": "momentum",
        "runs": "128 = 64 lr x 1 momentum x 2 start",
        "lr": "64 from 0.0001 to 0.01, evenly spaced in the logarithm",
        "momentum": "0.9",
        "start": "x: 0, 1; y: 1",
        "updates": "20 a run at most",
        "targets": "0.0001",
        "trajectories": "3 steps of each run",
    }
    page = experiment._repr_html_()
    assert "&lt;b&gt; &amp; more" in page
    assert "<b>" not in page
    assert page.count("<tr>") == len(experiment.summary)
