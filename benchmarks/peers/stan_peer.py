"""Stan through PyStan: its own Python 3.12 and packages, made here, and exchange through files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from peers.measured import Drawn
from peers.problem import HYPERPARAMETERS, Problem

HERE = Path(__file__).parent
DRAWS, TUNE, CHAINS = 1000, 1000, 4
"""Stan's own defaults."""


class StanMissingError(RuntimeError):
    """What Stan needs is not on this machine."""


def stan_python(folder: Path) -> Path:
    """Return the Python that PyStan is installed in, and install it first where it is not.

    Parameters
    ----------
    folder : Path
        Where the virtual environment lies.

    Raises
    ------
    StanMissingError
        If there is no Python 3.12 or no C++ compiler, or PyStan cannot be installed.
    """
    python, done = folder / "bin" / "python", folder / ".installed"
    wanted = (HERE / "requirements-stan.txt").read_text(encoding="utf-8")
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return python
    if not any(map(shutil.which, ("g++", "c++", "clang++"))):
        raise StanMissingError("Stan needs a C++ compiler, and there is none")
    base = next((path for path in _candidates() if _is_312(path)), None)
    if base is None:
        raise StanMissingError("PyStan 3.14 needs Python 3.12, and there is none; set PYTHON312")
    requirements = str(HERE / "requirements-stan.txt")
    for command in (
        [base, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "-q", "install", "-r", requirements],
    ):
        if subprocess.run(command, check=False).returncode:  # noqa: S603
            raise StanMissingError("PyStan could not be installed")
    done.write_text(wanted, encoding="utf-8")
    return python


def _candidates() -> Iterator[str]:
    if "PYTHON312" in os.environ:
        yield os.environ["PYTHON312"]
    yield "python3.12"
    roots = (os.environ.get("PYENV_ROOT", ""), str(Path.home() / ".pyenv"))
    for root in filter(None, roots):
        yield from map(str, sorted(Path(root).glob("versions/3.12*/bin/python")))


def _is_312(python: str) -> bool:
    """Whether a Python runs; a name on PATH can be a version manager's shim that fails."""
    code = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 12))"
    try:
        return not subprocess.run([python, "-c", code], check=False, capture_output=True).returncode  # noqa: S603
    except OSError:
        return False


def run_stan(
    problem: Problem, python: Path, scratch: Path, *, seed: int, **more: Any
) -> dict[str, Any]:
    """Run Stan's process on a problem and return what it wrote.

    Parameters
    ----------
    problem : Problem
        The data.
    python : Path
        From :func:`stan_python`.
    scratch : Path
        Folder for the files that are exchanged.
    seed : int
        Seed of the chains.
    **more
        Numbers of draws, or points at which the log density is wanted.
    """
    data = problem.data
    source, target = scratch / "stan_in.npz", scratch / "stan_out.npz"
    np.savez(
        source,
        seed=seed,
        n_entities=data.n_entities,
        n_aggregates=data.n_aggregates,
        n_groups=len(problem.levels),
        n_edges=data.n_edges,
        total=data.totals.astype(int),
        exposure=data.exposure.data,
        entity_of_edge=data.exposure.indices + 1,
        start=data.exposure.indptr + 1,
        group=problem.group + 1,
        log_scale=problem.log_scale,
        **more,
    )
    command = [str(python), str(HERE / "stan_process.py"), str(source), str(target)]
    # Building leaves files in the working folder.
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=scratch)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"Stan failed: {done.stderr.strip().splitlines()[-1:]}")
    with np.load(target) as found:
        return {name: found[name] for name in found.files}


def sample(problem: Problem, seed: int, python: Path, scratch: Path) -> Drawn:
    """Draw with Stan's defaults, all chains at once on the processors that there are.

    ``sampling`` is the time that the chains say they took, divided by the processors that they
    shared: without PyStan's own work, which is in ``total``.
    """
    found = run_stan(problem, python, scratch, seed=seed, chains=CHAINS, draws=DRAWS, tune=TUNE)
    cores = min(CHAINS, os.cpu_count() or 1)
    hyper = {name: found[name] for name in HYPERPARAMETERS}
    hyper["intercept_with_mean_effect"] = hyper["intercept"]  # effects sum to zero
    return Drawn(
        rates=found["rate"],
        hyper=hyper,
        seconds={
            "total": float(found["seconds"]),
            "compile": float(found["build_seconds"]),
            "sampling": float(found["chain_seconds"].sum()) / cores,
        },
        peak=float(found["peak"]),
        facts={
            "divergences": int(found["divergent__"].sum()),
            "settings": f"{CHAINS} chains of {TUNE} + {DRAWS}",
        },
    )
