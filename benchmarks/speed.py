"""Speed, memory and accuracy beside others on the same data: one command, one file of results.

Run as ``python benchmarks/speed.py`` for everything (about half an hour on two quiet cores), or as
``--only nuts stan --sizes S M`` for a part; what was measured before is kept unless it is measured
again. Each measurement has a process of its own, methods take turns, and BLAS and OpenMP have one
thread. Then docs/speed.md and its figure are written from benchmarks/results/speed.json;
``--write`` does only that. Stan needs Python 3.12 and a C++ compiler, and is left out where they
are missing; its packages go to runs/speed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers.document import write_document
from peers.figure import write_figure
from peers.methods import METHODS, Task
from peers.problem import ROOT, SIZES, make_problem
from peers.results import Results
from peers.targets import target_rows

FOLDER = ROOT / "runs" / "speed"
RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
FIRST = ("agreement", "reference")
"""What others are compared with comes first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=["S", "M", "L", "L2", "XL"])
    parser.add_argument("--rounds", type=int, default=99, help="at most so many of each")
    parser.add_argument("--budget", type=float, default=3600.0, help="seconds for all together")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="caches, Stan, references")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="folder of speed.md")
    parser.add_argument("--write", action="store_true", help="measure nothing")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        work(options.child, options.folder)
        return
    results = Results(options.results)
    if not options.write:
        measure_all(options, results)
    write_document(results, options.docs / "speed.md")
    write_figure(results, options.docs / "figures" / "speed.png")
    for row in target_rows(results):
        print(" | ".join(row))


def work(child: list[str], folder: Path) -> None:
    """Make one measurement in this process."""
    method, size, round_number, target = child
    task = Task(method, size, int(round_number), folder)
    found = METHODS[method].run(task)
    if METHODS[method].has_problem:
        found["edges"] = make_problem(size).data.n_edges
    Path(target).write_text(json.dumps(found), encoding="utf-8")


def measure_all(options: argparse.Namespace, results: Results) -> None:
    folder: Path = options.folder.resolve()
    for name in ("moments", "references", "scratch"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    everything = set(options.only) == set(METHODS)
    if everything:
        shutil.rmtree(folder / "caches", ignore_errors=True)  # the first round is a first time
    run, end = results.start_run(options.only, options.sizes), time.monotonic() + options.budget
    for task in tasks(options.only, options.sizes, options.rounds, folder):
        if task.method == "reference" and task.reference.exists() and not everything:
            continue
        left, usual = end - time.monotonic(), METHODS[task.method].seconds.get(task.size, 5)
        if left < usual:
            print(f"{task.key}: left out, {left:.0f} s of the budget are left", flush=True)
            continue
        start = time.monotonic()
        found = measure(task, min(left, 120 + 6 * usual))
        results.add(task.key, run, found)
        told = found.get("failed") or told_briefly(found)
        print(f"{task.key}: {told} ({time.monotonic() - start:.0f} s in all)", flush=True)


def tasks(only: list[str], sizes: list[str], rounds: int, folder: Path) -> Iterator[Task]:
    """Size by size, in each round every method once; what others are compared with first."""
    for size in sizes:
        chosen = [name for name in METHODS if name in only and size in METHODS[name].rounds]
        for number in range(min(rounds, max(m.rounds.get(size, 0) for m in METHODS.values()))):
            for name in sorted(chosen, key=lambda name: name not in FIRST):
                if number < METHODS[name].rounds[size]:
                    yield Task(name, size, number, folder)


def measure(task: Task, seconds: float) -> dict[str, Any]:
    """Make a measurement in a process of its own, with caches of the benchmark's own."""
    # Caches of its own for each method: what one has compiled is no help to another. The program of
    # Stan is built where densities are compared.
    caches = task.folder / "caches" / ("stan" if task.method == "agreement" else task.method)
    caches.mkdir(parents=True, exist_ok=True)
    target = task.scratch / "result.json"
    target.unlink(missing_ok=True)
    own = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTENSOR_FLAGS": f"base_compiledir={caches / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(caches / "numba"),
        "XDG_CACHE_HOME": str(caches),
    }
    command = [sys.executable, __file__, "--folder", str(task.folder), "--child"]
    command += [task.method, task.size, str(task.round), str(target)]
    process = subprocess.Popen(  # noqa: S603
        command, env=os.environ | own, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"failed": f"stopped after {seconds:.0f} s"}
    if process.returncode or not target.exists():
        told = (said.strip().splitlines() or ["no message"])[-1]
        return {"failed": told.replace(str(task.folder), "…").replace(str(ROOT), "…")}
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return found


def told_briefly(found: dict[str, Any]) -> str:
    """Say seconds, memory and effective sizes of a measurement."""
    seconds = found.get("seconds", {})
    parts = [f"{name} {value:.3g} s" for name, value in seconds.items() if value is not None]
    if found.get("peak_gb"):
        parts.append(f"{found['peak_gb']:.2f} GB")
    if found.get("ess_rates_min"):
        worst = min(found["ess_hyper"].values())
        parts.append(f"least ESS {found['ess_rates_min']:.0f} of rates, {worst:.0f} above them")
    return ", ".join(parts)


if __name__ == "__main__":
    main()
