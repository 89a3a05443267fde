"""Results by key, with machine and versions; a file that other runs add to."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("pymc", "pytensor", "nutpie", "numba", "numpy", "scipy", "scikit-learn", "arviz-stats")


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


class Results:
    """Measurements of several runs, kept in one file.

    Parameters
    ----------
    path : Path
        JSON file; it may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: dict[str, Any] = {"runs": {}, "measurements": {}}
        if path.exists():
            self._content = json.loads(path.read_text(encoding="utf-8"))

    @property
    def measurements(self) -> dict[str, dict[str, Any]]:
        """Figures by ``method/size/round``."""
        found: dict[str, dict[str, Any]] = self._content["measurements"]
        return found

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        """Machine and versions by run."""
        found: dict[str, dict[str, Any]] = self._content["runs"]
        return found

    def start_run(self, methods: Iterable[str], sizes: Iterable[str]) -> str:
        """Note a run and return its name."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        self.runs[now] = {
            "methods": sorted(methods),
            "sizes": list(sizes),
            "machine": machine(),
            "versions": {name: version(name) for name in PACKAGES},
            "load": round(os.getloadavg()[0], 2),
        }
        return now

    def add(self, key: str, run: str, figures: dict[str, Any]) -> None:
        """Keep a measurement and write the file; runs that nothing is left of are forgotten."""
        self.measurements[key] = figures | {"run": run}
        used = {figure["run"] for figure in self.measurements.values()} | {run}
        self._content["runs"] = {name: self.runs[name] for name in self.runs if name in used}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._content, indent=1, sort_keys=True)
        self._path.write_text(text + "\n", encoding="utf-8")

    def rounds(self, method: str, size: str) -> dict[int, dict[str, Any]]:
        """Measurements of a method at a size that did not fail, by round."""
        found = [(key.split("/"), value) for key, value in self.measurements.items()]
        wanted = {int(k[2]): value for k, value in found if k[:2] == [method, size]}
        return {
            number: wanted[number] for number in sorted(wanted) if "failed" not in wanted[number]
        }

    def first(self, method: str, size: str) -> dict[str, Any] | None:
        """Return the measurement with empty caches, where there are others."""
        rounds = self.rounds(method, size)
        return rounds[0] if 0 in rounds and len(rounds) > 1 else None

    def warm(self, method: str, size: str) -> list[dict[str, Any]]:
        """Measurements with filled caches: all but the first, where there are others."""
        rounds = self.rounds(method, size)
        return [value for number, value in rounds.items() if number or len(rounds) == 1]

    def failures(self) -> dict[str, str]:
        """What could not be measured, by key, and why."""
        found = self.measurements
        return {key: found[key]["failed"] for key in sorted(found) if "failed" in found[key]}

    def figure(
        self, method: str, size: str, read: Callable[[dict[str, Any]], float]
    ) -> float | None:
        """Median over measurements with filled caches; None where there is none."""
        values = [read(value) for value in self.warm(method, size)]
        return statistics.median(values) if values else None
