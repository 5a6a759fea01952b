"""Measure everything that the README says of speed, side by side, and write its table.

Peers that are not installed (pip install '.[benchmark]') are skipped with a word.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks import computing, drawing, growing, starting, storing, tuning
from benchmarks.measuring import Row, Setting, machine, median, spread

ROWS = computing.ROWS | drawing.ROWS | storing.ROWS | starting.ROWS
PARTS = "benchmark", "benchmark of rules"
"""What stands in the README between ``<!-- PART -->`` and ``<!-- /PART -->``."""


def main() -> None:
    """Measure what is asked for."""
    arguments = _arguments()
    folder = arguments.folder or Path(tempfile.gettempdir())
    setting = Setting(arguments.quick, folder)
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.tune:
        _write(arguments.output / "tuning", {"machine": machine()}, _tuned(setting))
        return
    found: dict[str, object] = {"machine": machine(), "quick": arguments.quick}
    only = arguments.only or [*ROWS, "objectives", "rules", "growth"]
    rows = [*_measured([name for name in only if name in ROWS], setting)]
    text = table(rows)
    if "objectives" in only and not (arguments.quick and not arguments.only):
        rates = list(computing.objectives(setting))
        found["objectives"] = rates
        text += "\n" + _of_objectives(rates)
    if "growth" in only:
        lines = growing.growth(setting)
        growing.draw(lines, arguments.output / "growth.png")
        found["growth"] = lines
    text = f"{text}\n{caption(machine(), setting)}\n{'' if arguments.quick else on_paper(rows)}"
    found["rows"] = [row.plain() for row in rows]
    texts = {"benchmark": text}
    if "rules" in only and not (arguments.quick and not arguments.only):
        of_rules = computing.rules(setting)
        found["rules"] = of_rules
        texts["benchmark of rules"] = f"{_of_rules(of_rules)}\n{caption(machine(), setting)}\n"
    if only == ["rules"]:  # then what was measured before stays as it is
        del texts["benchmark"]
    _write(arguments.output / "benchmark", found, "\n".join(texts.values()))
    if arguments.readme:
        for part, made in texts.items():
            put_into(arguments.readme, part, made)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="small sizes, under a minute; not to be quoted")
    names = [*ROWS, "objectives", "rules", "growth"]
    add("--only", action="append", choices=names, metavar="ROW", help=", ".join(names))
    add("--tune", action="store_true", help="vary the sizes of tiles, rounds and blocks instead")
    add("-o", "--output", type=Path, default=Path("data/benchmark"), help="folder for what comes")
    add("--folder", type=Path, help="folder for large files, on the disk to be measured")
    add("--readme", type=Path, help="file to put the table into, between its marks")
    return parser.parse_args()


def _measured(names: Iterable[str], setting: Setting) -> Iterable[Row]:
    for name in names:
        made = ROWS[name](setting)
        for row in [made] if isinstance(made, Row) else made:
            met = {True: "reached", False: "MISSED", None: ""}[None if setting.quick else row.met]
            print(f"{row.name:9} {row.figure}  [{row.goal}] {met}", file=sys.stderr, flush=True)
            yield row


def table(rows: Iterable[Row]) -> str:
    """Rows in Markdown."""
    lines = ["| what | at least | measured |", "|---|---|---|"]
    lines += [f"| {row.what} | {row.goal} | {row.figure} |" for row in rows]
    return "\n".join(lines) + "\n"


def caption(about: dict[str, str], setting: Setting) -> str:
    """Where and with what it was measured."""
    versions = ", ".join(
        f"{name} {about[name]}"
        for name in ("python", "numpy", "numba", "llvmlite", "h5py", "jax")
        if name in about
    )
    quick = " A quick check, not to be quoted." if setting.quick else ""
    return (
        f"Medians of one run by turns, ± half the range between the quartiles. {about['cpu']}, "
        f"{about['cores']} cores, {about['vectors']}, {about['memory']}; {versions}; "
        f"{about['cc']}; {about['date']}.{quick}"
    )


def on_paper(rows: Iterable[Row]) -> str:
    """What ten thousand million runs would take, by the phase diagram's time."""
    times = [row.samples["fastmomentum"] for row in rows if row.name == "phase"]
    if not times:
        return ""
    experiment = computing.diagram(computing.POINTS)
    runs = 10**10
    seconds = median(times[0]) / experiment.grid.n_runs * runs
    size = experiment.bytes_per_run * runs / 1e9
    return (
        f"\nOn paper: 10^10 runs like those of the phase diagram take {seconds / 3600:.1f} hours "
        f"on this machine and {size:.0f} GB of summaries; on a hundred such machines "
        f"{seconds / 6000:.1f} minutes, in which the disk they share takes "
        f"{size / (seconds / 100):.1f} GB/s.\n"
    )


def _of_objectives(rates: list[tuple[str, float, float]]) -> str:
    lines = ["| objective | M updates/s, one core | with stop rules |", "|---|---|---|"]
    lines += [f"| {name} | {plain:,.0f} | {asking:,.0f} |" for name, plain, asking in rates]
    return "\n".join(lines) + "\n"


def _of_rules(samples: dict[str, dict[str, list[float]]]) -> str:
    lines = ["| rule | M updates/s, one core | against momentum | with stop rules |",
             "|---|---|---|---|"]  # fmt: skip
    momentum = median(samples["momentum"]["plain"])
    for name, each in samples.items():
        called = "a quotient and a root a coordinate alone: `roots.c`"
        called = called if name == "roots.c" else f"`{name}`"
        plain, *asking = (f"{median(rates):,.0f} {spread(rates)}" for rates in each.values())
        ratio = median(each["plain"]) / momentum
        lines.append(f"| {called} | {plain} | {ratio:.2f} x | {''.join(asking)} |")
    return "\n".join(lines) + "\n"


def _tuned(setting: Setting) -> str:
    parts = []
    for title, figures in tuning.tune(setting):
        cells = [f"{figure:,.{0 if figure > 10 else 3}f}" for figure in figures.values()]
        parts.append(f"| {title} | " + " | ".join(figures) + " |")
        parts += ["|---|" + "---|" * len(cells), "| | " + " | ".join(cells) + " |", ""]
        print("\n".join(parts[-4:]), file=sys.stderr, flush=True)
    return "\n".join(parts)


def _write(path: Path, found: dict[str, object], text: str) -> None:
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


def put_into(readme: Path, part: str, text: str) -> None:
    """Replace what stands between the marks of a part of a file."""
    first, last = marks = f"<!-- {part} -->", f"<!-- /{part} -->"
    old = readme.read_text(encoding="utf-8")
    if not all(old.count(mark) == 1 for mark in marks):
        raise SystemExit(f"{readme}: needs the marks {' and '.join(marks)}, each once")
    before, _, rest = old.partition(first)
    _, _, after = rest.partition(last)
    readme.write_text(f"{before}{first}\n\n{text}\n{last}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
