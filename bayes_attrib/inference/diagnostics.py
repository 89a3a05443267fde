"""Checks of a fit, and the verdict that follows from them.

Thresholds follow Vehtari, Gelman, Simpson, Carpenter and Burkner (2021, Bayesian Analysis 16):
rank-normalised split R-hat at most 1.01, and bulk and tail effective sample sizes of at least 400.
A value that is not a number fails: it means that the check could not be made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bayes_attrib import names
from bayes_attrib.errors import Finding
from bayes_attrib.inference.mixing import energy_fractions, ess_bulk, ess_tail, rhat
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import FloatArray

Status = Literal["ok", "warn", "fail"]
Verdict = Literal["ok", "warn", "not_converged"]

MOST_QUANTITIES = 400
"""At most so many entities are checked: those of the largest shares and an even choice."""

TAIL_PROBABILITY = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Two bounds of one direction: beyond ``ok`` is a warning, beyond ``acceptable`` a failure."""

    comparison: Literal["<=", ">="]
    ok: float
    acceptable: float

    def status(self, value: float) -> Status:
        """Return the status of a figure; NaN fails."""
        sign = 1.0 if self.comparison == "<=" else -1.0
        if sign * value <= sign * self.ok:
            return "ok"
        return "warn" if sign * value <= sign * self.acceptable else "fail"


RHAT = Bounds("<=", 1.01, 1.05)
EFFECTIVE_SAMPLE_SIZE = Bounds(">=", 400, 100)
NONE_ALLOWED = Bounds("<=", 0, 0)
DIVERGENT_FRACTION = Bounds("<=", 0.0, 0.01)
MAX_DEPTH_FRACTION = Bounds("<=", 0.01, 1.0)
BFMI = Bounds(">=", 0.3, 0.1)
CHAINS = Bounds(">=", 4, 1)


@dataclass(frozen=True, slots=True)
class Check:
    """One figure held against its threshold.

    Attributes
    ----------
    name : str
        What is measured.
    value : float or None
        The figure; None where it is not a number, which fails.
    threshold : float
        Bound for ``"ok"``.
    comparison : {"<=", ">="}
        How value and threshold relate when all is well.
    status : {"ok", "warn", "fail"}
        The outcome.
    detail : str
        The quantity that is worst, or how many were looked at.
    """

    name: str
    value: float | None
    threshold: float
    comparison: Literal["<=", ">="]
    status: Status
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """All checks of a fit and the verdict: the worst status among them.

    Attributes
    ----------
    checks : tuple of Check
        Every check that was made.
    findings : tuple of Finding
        Warnings and notes in words.
    """

    checks: tuple[Check, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``"not_converged"`` if any check fails, else ``"warn"`` if any warns, else ``"ok"``."""
        statuses = {check.status for check in self.checks}
        if "fail" in statuses:
            return "not_converged"
        return "warn" if "warn" in statuses else "ok"

    def as_dict(self) -> dict[str, Any]:
        """Return verdict, checks and findings as plain JSON types."""
        return {
            "verdict": self.verdict,
            "checks": [asdict(check) for check in self.checks],
            "findings": [asdict(finding) for finding in self.findings],
        }


def make_check(name: str, value: float, bounds: Bounds, detail: str = "") -> Check:
    """Hold a figure against its bounds.

    Parameters
    ----------
    name : str
        What is measured.
    value : float
        The figure; NaN fails.
    bounds : Bounds
        What is well and what is acceptable.
    detail : str
        Passed through.

    Returns
    -------
    Check
        With its status.
    """
    finite = float(value) if math.isfinite(value) else None
    return Check(name, finite, bounds.ok, bounds.comparison, bounds.status(value), detail)


def entities_to_check(mean_shares: FloatArray) -> npt.NDArray[np.int64]:
    """Choose the entities whose draws are checked: all of them, or the largest and an even choice.

    Parameters
    ----------
    mean_shares : ndarray, shape (n_entities,)
        Posterior mean of the share of each entity.

    Returns
    -------
    ndarray of int, shape (n_chosen,)
        Positions, ascending; at most ``MOST_QUANTITIES``.
    """
    n = len(mean_shares)
    if n <= MOST_QUANTITIES:
        return np.arange(n)
    largest = np.argsort(-mean_shares, kind="stable")[: MOST_QUANTITIES // 2]
    even = np.linspace(0, n - 1, MOST_QUANTITIES // 2).astype(np.int64)
    return np.unique(np.concatenate([largest, even]))


def sampling_checks(
    fit: PosteriorFit,
    parameters: Iterable[str],
    entities: npt.NDArray[np.integer[Any]],
    entity_shares: FloatArray,
) -> tuple[Check, ...]:
    """Check draws of parameters, rates and reported shares, and the sampler's own statistics.

    Parameters
    ----------
    fit : PosteriorFit
        The draws.
    parameters : iterable of str
        Variables of the posterior to be checked in full, such as hyperparameters and group effects.
    entities : ndarray of int, shape (n_chosen,)
        Positions of the entities whose rates and shares are checked.
    entity_shares : ndarray, shape (n_chosen, n_draws)
        Share of the grand total expected for each of them, draws chain after chain.

    Returns
    -------
    tuple of Check
        In the order in which they should be read.
    """
    posterior = fit.posterior
    labels = [str(name) for name in posterior[names.ENTITY].to_numpy()[entities]]
    rates = posterior[names.LOG_RATE if names.LOG_RATE in posterior else names.RATE].to_numpy()
    shares = entity_shares.reshape(len(labels), fit.n_chains, -1)
    # A share without spread is known exactly and cannot be judged; one that is NaN must be.
    varying = np.flatnonzero(np.ptp(entity_shares, axis=1) != 0)
    quantities = {
        "parameters": _columns(fit, parameters),
        "rates": {label: rates[..., e] for label, e in zip(labels, entities, strict=True)},
        "shares": {labels[i]: shares[i] for i in varying},
    }
    n_entities = posterior.sizes[names.ENTITY]
    of = "" if len(labels) == n_entities else f" ({len(labels)} of {n_entities} entities)"
    checks = [finite_check(posterior.data_vars)]
    for kind, columns in quantities.items():
        if columns:
            checks += _mixing_checks(kind, columns, of if kind != "parameters" else "")
    return (*checks, *_sampler_checks(fit))


def _columns(fit: PosteriorFit, parameters: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Split variables into named columns of shape (n_chains, n_draws)."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in parameters:
        variable = fit.posterior[name]
        if variable.ndim == 2:
            columns[name] = variable.to_numpy()
            continue
        labels = variable[variable.dims[-1]].to_numpy()
        for i, label in enumerate(labels):
            columns[f"{name}[{label}]"] = variable[..., i].to_numpy()
    return columns


def finite_check(variables: Mapping[Any, Any]) -> Check:
    """Check that every draw of every variable is a finite number."""
    broken = [str(k) for k, v in variables.items() if not np.isfinite(v.to_numpy()).all()]
    detail = f"not finite: {', '.join(broken)}" if broken else "every draw is a finite number"
    return make_check("variables_with_non_finite_draws", len(broken), NONE_ALLOWED, detail)


def _mixing_checks(kind: str, columns: Mapping[str, npt.NDArray[Any]], of: str) -> list[Check]:
    labels = list(columns)
    draws = np.stack([columns[label] for label in labels])
    tail = ess_tail(draws, TAIL_PROBABILITY)
    return [
        _worst_check(f"max_rhat_{kind}", labels, rhat(draws), RHAT, of),
        _worst_check(f"min_ess_bulk_{kind}", labels, ess_bulk(draws), EFFECTIVE_SAMPLE_SIZE, of),
        _worst_check(f"min_ess_tail_{kind}", labels, tail, EFFECTIVE_SAMPLE_SIZE, of),
    ]


def _worst_check(
    name: str,
    labels: Sequence[str],
    values: npt.NDArray[Any],
    bounds: Bounds,
    of: str,
) -> Check:
    """Check the worst of several values; NaN is worse than any number."""
    worst = float(np.max(values) if bounds.comparison == "<=" else np.min(values))
    hits = np.isnan(values) if math.isnan(worst) else values == worst
    detail = f"worst: {labels[int(np.argmax(hits))]}{of}"
    return make_check(name, worst, bounds, detail)


def _sampler_checks(fit: PosteriorFit) -> list[Check]:
    statistics = fit.sample_stats
    diverging = statistics["diverging"].to_numpy()
    deepest = statistics["maxdepth_reached"].to_numpy()
    fractions = energy_fractions(statistics["energy"].to_numpy())
    return [
        _fraction_check("divergent_fraction", diverging, DIVERGENT_FRACTION),
        _fraction_check("max_depth_fraction", deepest, MAX_DEPTH_FRACTION),
        make_check("min_bfmi", float(fractions.min()), BFMI, "energy of the worst chain"),
        make_check("chains", fit.n_chains, CHAINS, "chains that can disagree"),
    ]


def _fraction_check(name: str, flags: npt.NDArray[Any], bounds: Bounds) -> Check:
    detail = f"{int(flags.sum())} of {flags.size} draws"
    return make_check(name, float(flags.mean()), bounds, detail)
