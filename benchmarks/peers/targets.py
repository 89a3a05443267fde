"""What was aimed at, and what was measured."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from peers.problem import HYPERPARAMETERS
from peers.results import Results

Figures = dict[str, Any]


def rates_per_second(which: str) -> Callable[[Figures], float]:
    """Least effective size of rates per second: of ``sampling`` alone, or of ``total``."""
    return lambda found: found["ess_rates_min"] / found["seconds"][which]


def hyper_per_second(found: Figures) -> float:
    """Effective size of the worst of intercept and sds, per second of sampling."""
    return min(found["ess_hyper"][name] for name in HYPERPARAMETERS) / found["seconds"]["sampling"]


def kinder_per_second(found: Figures) -> float:
    """As ``hyper_per_second``, with intercept and mean group effect added up."""
    names = ("intercept_with_mean_effect", *HYPERPARAMETERS[1:])
    return min(found["ess_hyper"][name] for name in names) / found["seconds"]["sampling"]


def least_size(found: Figures) -> float:
    """Least effective size of any rate, intercept or sd."""
    return min(found["ess_rates_min"], *(found["ess_hyper"][name] for name in HYPERPARAMETERS))


@dataclass(frozen=True)
class Target:
    """A bound on a figure; ``measured`` returns None where it was not measured."""

    case: str
    what: str
    bound: str
    measured: Callable[[Results], float | None]

    def row(self, results: Results) -> tuple[str, str, str, str, str]:
        """Return case, figure, bound, what was measured, and whether the bound holds."""
        value = self.measured(results)
        if value is None:
            return self.case, self.what, self.bound, "not measured", ""
        return (
            self.case,
            self.what,
            self.bound,
            f"{value:.3g}",
            "yes" if self._holds(value) else "no",
        )

    def _holds(self, value: float) -> bool:
        sign, first, *last = self.bound.split()
        if last:  # "within LOW HIGH"
            return float(first) <= value <= float(last[0])
        compare = {"<=": operator.le, ">=": operator.ge}[sign]
        return bool(compare(value, float(first)))


def ratio(
    size: str, other: str, read: Callable[[Figures], float]
) -> Callable[[Results], float | None]:
    """How many times that of another method ours is."""

    def measured(results: Results) -> float | None:
        ours, theirs = results.figure("nuts", size, read), results.figure(other, size, read)
        return None if ours is None or theirs is None else ours / theirs

    return measured


def figure(
    method: str, size: str, read: Callable[[Figures], float]
) -> Callable[[Results], float | None]:
    """A figure of a method at a size."""
    return lambda results: results.figure(method, size, read)


def _seconds(found: Figures) -> float:
    return float(found["seconds"]["total"])


def _peak(found: Figures) -> float:
    return float(found["peak_gb"])


def _compared(name: str, *, of: Callable[[float], float] = float) -> Callable[[Figures], float]:
    return lambda found: of(found["compared"][name])


_RATES = "least ESS of rates per second, times that of"
_HYPER = "least ESS of intercept and sds per second, times that of"

TARGETS = (
    Target(
        "S, NUTS",
        f"{_RATES} the dense model, sampling only",
        ">= 40",
        ratio("S", "naive", rates_per_second("sampling")),
    ),
    Target(
        "S, NUTS",
        f"{_RATES} the dense model, everything included",
        ">= 25",
        ratio("S", "naive", rates_per_second("total")),
    ),
    Target("S, NUTS", f"{_HYPER} the dense model", ">= 40", ratio("S", "naive", hyper_per_second)),
    Target("S, second fit", "seconds", "<= 3", figure("second_fit", "S", _seconds)),
    Target(
        "S, fresh command",
        "seconds, times those of `import pymc`",
        "<= 2.5",
        figure("fresh_command", "S", lambda f: _seconds(f) / f["seconds"]["import"]),
    ),
    Target(
        "M, NUTS",
        f"{_RATES} the dense model, sampling only",
        ">= 30",
        ratio("M", "naive", rates_per_second("sampling")),
    ),
    Target("M, NUTS", f"{_HYPER} the dense model", ">= 500", ratio("M", "naive", hyper_per_second)),
    Target(
        "M, NUTS",
        f"{_RATES} Stan, sampling only",
        ">= 20",
        ratio("M", "stan", rates_per_second("sampling")),
    ),
    Target(
        "M, NUTS",
        f"{_RATES} Stan, everything included",
        ">= 20",
        ratio("M", "stan", rates_per_second("total")),
    ),
    Target(
        "L, NUTS", "least ESS of rates, intercept, sds", ">= 300", figure("nuts", "L", least_size)
    ),
    Target("L, NUTS", "seconds", "<= 45", figure("nuts", "L", _seconds)),
    Target("L, NUTS", "peak memory, GB", "<= 1", figure("nuts", "L", _peak)),
    Target(
        "L2, NUTS",
        "least ESS of rates",
        ">= 400",
        figure("nuts", "L2", lambda f: f["ess_rates_min"]),
    ),
    Target("L2, NUTS", "seconds", "<= 180", figure("nuts", "L2", _seconds)),
    *(
        Target(f"{size}, Laplace", what, bound, figure("laplace", size, _compared(name)))
        for size in ("S", "M", "L")
        for what, bound, name in (
            ("RMS error of rate means, posterior sds", "<= 0.08", "rates_rms"),
            ("median sd ratio", "within 0.92 1.10", "sd_ratio"),
            ("worst error of group shares, sds", "<= 0.25", "shares_worst"),
        )
    ),
    Target("XL, Laplace", "seconds", "<= 90", figure("laplace_stream", "XL", _seconds)),
    Target("XL, Laplace", "peak memory, GB", "<= 1", figure("laplace_stream", "XL", _peak)),
    Target("XL, MAP", "seconds", "<= 1", figure("map", "XL", _seconds)),
    Target("XL, EM", "seconds", "<= 0.15", figure("em", "XL", _seconds)),
    Target(
        "XL, product",
        "seconds, times those of SciPy",
        "<= 1.1",
        figure("product", "XL", lambda f: _seconds(f) / f["seconds"]["scipy"]),
    ),
    Target("XL, whole run", "seconds", "<= 240", figure("whole_run", "XL", _seconds)),
    Target("XL, whole run", "peak memory, GB", "<= 3", figure("whole_run", "XL", _peak)),
)


def target_rows(results: Results) -> list[tuple[str, ...]]:
    """Return a row of words for each target."""
    return [target.row(results) for target in TARGETS]
