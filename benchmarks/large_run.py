"""Seconds and memory of whole commands at a size: simulate, fit, verify, compare.

Run as ``OMP_NUM_THREADS=1 python benchmarks/large_run.py XL [--draws 400] [--keep FOLDER]``. Every
command is a process of its own, as a user starts it; wall seconds, processor seconds and peak
memory are those that the operating system tells of it. With ``--stages``, the fit is run once more
in a process that times its stages.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bayes_attrib.cli import app

SIZES = {"S": (400, 80), "M": (4_000, 800), "L": (40_000, 8_000), "XL": (400_000, 80_000)}
SPEC = Path(__file__).parents[1] / "models" / "hcp_brick.toml"

STAGES = (
    ("bayes_attrib.workflow.fit", "read_tables"),
    ("bayes_attrib.workflow.fit", "choose_geometry"),
    ("bayes_attrib.workflow.fit", "fit_em"),
    ("bayes_attrib.workflow.methods.laplace", "fit_laplace"),
    ("bayes_attrib.workflow.fit", "attribute"),
    ("bayes_attrib.workflow.fit", "computed_checks"),
    ("bayes_attrib.workflow.fit", "information_findings"),
    ("bayes_attrib.workflow.fit", "em_error_table"),
    ("bayes_attrib.workflow.write", "write_table"),
    ("bayes_attrib.workflow.write", "write_draws"),
    ("bayes_attrib.workflow.write", "write_reports"),
)
"""Module that calls a function, and its name there."""


def command(*words: str | Path) -> list[str]:
    """Return the words that start ``bayes-attrib`` in this Python."""
    return [sys.executable, "-m", "bayes_attrib", *map(str, words)]


def run(words: list[str], label: str) -> None:
    """Run a process to its end and print what it took."""
    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    print(
        f"{label:10} {time.perf_counter() - start:7.1f} s, "
        f"{used.ru_utime + used.ru_stime:7.1f} s of processor, "
        f"{used.ru_maxrss / 1024**2:5.2f} GB, exit {process.returncode}",
        flush=True,
    )


def timed(function: Callable[..., object], name: str) -> Callable[..., object]:
    """Wrap a function so that it prints its processor seconds."""

    @functools.wraps(function)
    def wrapper(*args: object, **kwargs: object) -> object:
        start = time.process_time()
        result = function(*args, **kwargs)
        print(f"  {name:22} {time.process_time() - start:7.1f} s of processor", flush=True)
        return result

    return wrapper


def stages(arguments: list[str]) -> None:
    """Run ``bayes-attrib`` in this process, its stages timed."""
    for module_name, name in STAGES:
        module = importlib.import_module(module_name)
        setattr(module, name, timed(getattr(module, name), name))
    app(arguments)


def fit_words(data: Path, out: Path, draws: int) -> list[str]:
    """Return the arguments of the fit."""
    words = ["fit", SPEC, data, "--out", out, "--method", "laplace", "--draws", draws, "--quiet"]
    return list(map(str, words))


def measure(size: str, draws: int, folder: Path, *, with_stages: bool) -> None:
    """Run all commands at a size."""
    n_entities, n_aggregates = SIZES[size]
    data, out = folder / f"data_{size}", folder / f"run_{size}"
    sizes = ["--set", f"n_entities={n_entities}", "--set", f"n_aggregates={n_aggregates}"]
    print(f"{size}: {n_entities:,} entities x {n_aggregates:,} aggregates, {draws} draws")
    how = ["--format", "parquet", "--overwrite", "--quiet"]
    run(command("simulate", "hcp_brick", "--out", data, *sizes, *how), "simulate")
    run([*command(*fit_words(data, out, draws)), "--overwrite"], "fit")
    for file in sorted(out.iterdir()):
        print(f"  {file.name:22} {file.stat().st_size / 1e6:9.1f} MB")
    run(command("verify", out), "verify")
    run(command("compare", out), "compare")
    if with_stages:
        words = [sys.executable, __file__, "--in-stages"]
        again = [*fit_words(data, out, draws), "--overwrite"]
        subprocess.run([*words, *again], check=False)  # noqa: S603


def main() -> None:
    if sys.argv[1:2] == ["--in-stages"]:
        stages(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=["M", "L"], choices=[*SIZES, []])
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--keep", type=Path, help="folder to keep data and runs in")
    parser.add_argument("--stages", action="store_true", help="time the stages of the fit too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        for size in arguments.sizes:
            measure(size, arguments.draws, folder, with_stages=arguments.stages)


if __name__ == "__main__":
    main()
