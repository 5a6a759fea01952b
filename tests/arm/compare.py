"""Compare the digests of an emulated ARM machine with this machine's; see ``make arm``.

    python tests/arm/compare.py FOLDER

FOLDER is what ``build.sh`` made, or is to make: that mostly waits for downloads, and this machine's
digests are computed meanwhile. Ends with 1 where a digest differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from digests import CURVES, experiments

ROOT = Path(__file__).parents[2]
DIGESTS = Path(__file__).with_name("digests.py")
PROCESSES = 2
"""That share the work: most of it is compiling, under emulation."""
NO_PACKAGES = 3
"""Exit status of `build.sh` where nothing can be downloaded."""


def digests(command: list[str | Path], environment: dict[str, str]) -> dict[str, str]:
    """What `digests.py` says; whichever process is done takes what comes next."""
    names = iter([*experiments(), CURVES])  # one, of which all threads take
    found: dict[str, str] = {}

    def ask(_: int) -> None:
        with subprocess.Popen(
            [*command, DIGESTS],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for name in names:
                print(name, file=process.stdin, flush=True)
                answer = process.stdout.readline()
                if not answer:
                    raise SystemExit(f"make arm: {command[0]} ended without a digest of {name}")
                found.update(json.loads(answer))

    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(ask, range(PROCESSES)))  # raises what they raise
    return found


def is_built(folder: Path) -> bool:
    """Whether there is a user-land for what pyproject.toml asks for now."""
    built = folder / "built"
    return built.exists() and built.stat().st_mtime > (ROOT / "pyproject.toml").stat().st_mtime


def main() -> int:
    folder = Path(sys.argv[1]).absolute()
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        native = beside.submit(digests, [sys.executable], {"PYTHONPATH": str(ROOT)})
        if not is_built(folder):
            print(
                f"building an aarch64 user-land into {folder.name}; this takes a minute", flush=True
            )
            build = ["sh", Path(__file__).with_name("build.sh"), folder, sys.executable]
            status = subprocess.run(build, cwd=ROOT, check=False).returncode
            if status == NO_PACKAGES:
                print("make arm: skipped; no packages can be downloaded, for the reason above")
                return 0
            if status:
                print("make arm: the user-land could not be built, for the reason above")
                return 1
        here = native.result()
    root = folder / "root"
    emulated: list[str | Path] = ["qemu-aarch64-static", "-L", root, root / "usr/bin/python3.11"]
    packages = os.pathsep.join([str(ROOT), str(folder / "packages")])
    cache = {"NUMBA_CACHE_DIR": str(folder / "cache")}
    there = digests(emulated, {"PYTHONPATH": packages, **cache})
    differing = sorted(name for name in here | there if here.get(name) != there.get(name))
    for name in differing:
        print(f"{name}: {here.get(name)} here, {there.get(name)} on aarch64")
    print(
        f"aarch64, emulated: {len(here) - len(differing)} of {len(here)} digests are this "
        f"machine's; {time.monotonic() - begun:.0f} s"
    )
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
