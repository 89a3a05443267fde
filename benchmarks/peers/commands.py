"""What a user waits for: a second fit in one process, a fresh command, a whole run at a size."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import load_spec
from bayes_attrib.workflow import FitPlan, fit_tables
from peers.measured import peak_memory
from peers.problem import SPEC, size_options

XL_DRAWS = 400


def write_tables(
    size: str, folder: Path, *, seed: int, parquet: bool = False, redrawn: bool = False
) -> DataSource:
    """Simulate tables of a size into a folder, with totals drawn anew or not; return the folder."""
    tables = simulate("hcp_brick", seed=seed, options=size_options(size))
    if redrawn:
        totals = np.random.default_rng(seed).poisson(tables.aggregates["units"])
        tables.aggregates["units"] = totals
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("aggregates", "exposures", "entities"):
        table = getattr(tables, name)
        if parquet:
            table.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            table.to_csv(folder / f"{name}.csv", index=False)
    return DataSource(folder=folder)


def second_fit(size: str, seed: int) -> dict[str, Any]:
    """From CSV to shares by NUTS, three times in one process.

    First of all; then with other totals of the same pairs, as next month's; then with other pairs.
    """
    spec = load_spec(SPEC)
    seconds, verdicts = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name, number, redrawn in (
            ("first", seed, False),
            ("total", seed, True),
            ("other pairs", seed + 1, False),
        ):
            source = write_tables(size, Path(folder) / name, seed=number, redrawn=redrawn)
            start = time.perf_counter()
            plan = FitPlan(spec=spec, source=source)
            fitted = fit_tables(read_tables(plan.spec, plan.source), plan.spec)
            seconds[name] = time.perf_counter() - start
            if not np.isfinite(fitted.result.table["share_mean"]).all():
                raise RuntimeError("a share is not a number")
            verdicts.append(fitted.diagnostics.verdict)
    return {"seconds": seconds, "verdict": verdicts[1], "peak_gb": peak_memory()}


def fresh_command(size: str, seed: int) -> dict[str, Any]:
    """``bayes-attrib fit`` in a new process, and a process that only imports PyMC, in turn."""
    command, imports = [], []
    with tempfile.TemporaryDirectory() as folder:
        write_tables(size, Path(folder) / "data", seed=seed)
        for i in range(3):
            imports.append(_run([sys.executable, "-c", "import pymc"])["seconds"])
            run = Path(folder) / f"run{i}"
            command.append(_fit(Path(folder) / "data", run)["seconds"])
    return {"seconds": {"total": float(np.median(command)), "import": float(np.median(imports))}}


def whole_run(size: str, seed: int) -> dict[str, Any]:
    """``bayes-attrib fit --method laplace`` from Parquet to a whole run folder."""
    with tempfile.TemporaryDirectory() as folder:
        write_tables(size, Path(folder) / "data", seed=seed, parquet=True)
        run = Path(folder) / "run"
        found = _fit(Path(folder) / "data", run, "--method", "laplace", "--draws", str(XL_DRAWS))
        size_gb = sum(file.stat().st_size for file in run.rglob("*")) / 1e9
    return {
        "seconds": {"total": found["seconds"]},
        "peak_gb": found["peak_gb"],
        "folder_gb": size_gb,
        "settings": f"method laplace, {XL_DRAWS} draws",
    }


def _fit(data: Path, run: Path, *options: str) -> dict[str, float]:
    program = shutil.which("bayes-attrib", path=str(Path(sys.executable).parent))
    if program is None:
        raise RuntimeError("bayes-attrib is not installed beside this Python")
    command = [program, "fit", str(SPEC), str(data), "--out", str(run), "--quiet", *options]
    return _run(command)


def _run(command: list[str]) -> dict[str, float]:
    """Run a command and return its seconds and its peak memory in GB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 3}:  # 3: written, but marked as not converged
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}")
    return {"seconds": time.perf_counter() - start, "peak_gb": usage.ru_maxrss / 1024**2}
