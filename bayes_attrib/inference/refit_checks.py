"""Whether refits arrived, each of them and all together, and whether they are enough.

Chains of a refit are short, so R-hat of single quantities would be large by chance alone. R-hat is
therefore averaged, as root mean square, over the quantities of one kind: chance averages out, and a
chain that is elsewhere is elsewhere in most of them. What a short tuning phase might leave behind
in all refits alike is looked for in the drift from their first to their second halves, which 50
refits tell to a thirtieth of a posterior sd.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

from bayes_attrib.inference.diagnostics import (
    BFMI,
    CHAINS,
    DIVERGENT_FRACTION,
    MAX_DEPTH_FRACTION,
    Bounds,
    Check,
    finite_check,
    make_check,
)
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray

REFIT_RHAT: Final = Bounds("<=", 1.1, 1.3)
DRIFT: Final = Bounds("<=", 5.0, 8.0)
EFFECTIVE_DRAWS: Final = Bounds(">=", 40.0, 10.0)
FINITE_FRACTION: Final = 1e-12


def refit_checks(
    fit: PosteriorFit,
    refit_of: IntArray,
    parameters: list[str],
    entities: npt.NDArray[np.integer[Any]],
    entity_shares: FloatArray,
) -> tuple[Check, ...]:
    """Check pooled draws of refits.

    Parameters
    ----------
    fit : PosteriorFit
        Draws of all refits, chain by chain, and refit by refit in each.
    refit_of : ndarray of int, shape (n_draws,)
        Refit of each draw, chain after chain.
    parameters : list of str
        Variables above the entities.
    entities : ndarray of int, shape (n_chosen,)
        Positions of the entities whose rates and shares are checked.
    entity_shares : ndarray, shape (n_chosen, n_draws)
        Share of the grand total expected for each of them.

    Returns
    -------
    tuple of Check
        In the order in which they should be read.
    """
    n_chains, n_refits = fit.n_chains, int(refit_of.max()) + 1
    kinds = {
        "parameters": np.concatenate([_rows(fit.draws(name)) for name in parameters])
        if parameters
        else np.zeros((0, fit.n_draws)),
        "rates": np.log(fit.rate_array()[entities].astype(np.float64)),
        "shares": entity_shares,
    }
    arranged = {kind: _by_refit(rows, n_chains, n_refits) for kind, rows in kinds.items()}
    blocks = {kind: draws for kind, draws in arranged.items() if len(draws)}
    found = [finite_check(fit.posterior.data_vars)]
    found += [_rhat_check(kind, draws) for kind, draws in blocks.items()]
    found += [_drift_check(kind, draws) for kind, draws in blocks.items()]
    if "shares" in blocks:
        found.append(_effective_check(blocks["shares"]))
    return (*found, *_sampler_checks(fit, n_chains, n_refits))


def _rows(draws: FloatArray) -> FloatArray:
    return draws.reshape(-1, draws.shape[-1])


def _by_refit(rows: FloatArray, n_chains: int, n_refits: int) -> FloatArray:
    """Arrange rows that vary as (n_quantities, n_refits, n_chains, n_draws)."""
    varying = rows[np.ptp(rows, axis=1) != 0]
    shaped = varying.reshape(len(varying), n_chains, n_refits, -1)
    return np.moveaxis(shaped, 1, 2)


def _rhat_check(kind: str, draws: FloatArray) -> Check:
    """Largest R-hat of a refit, of chains that are split in halves."""
    half = draws.shape[-1] // 2
    split = np.concatenate([draws[..., :half], draws[..., -half:]], axis=2)
    within = split.var(axis=3, ddof=1).mean(axis=2)
    between = split.mean(axis=3).var(axis=2, ddof=1)
    usable = within > FINITE_FRACTION * np.square(draws).mean(axis=(2, 3))
    squared = np.divide(between, within, out=np.zeros_like(within), where=usable)
    squared += (half - 1) / half
    of_refit = np.sqrt(squared.mean(axis=0))
    worst = int(np.argmax(of_refit))
    detail = f"worst: refit {worst + 1} of {len(of_refit)}, mean over {len(draws)} {kind}"
    return make_check(f"max_rhat_refits_{kind}", float(of_refit[worst]), REFIT_RHAT, detail)


def _drift_check(kind: str, draws: FloatArray) -> Check:
    """Largest drift from first to second halves over all refits, as a normal score."""
    n_refits, half = draws.shape[1], draws.shape[-1] // 2
    move = draws[..., -half:].mean(axis=(2, 3)) - draws[..., :half].mean(axis=(2, 3))
    error = move.std(axis=1, ddof=1) / np.sqrt(n_refits)
    ratio = np.divide(np.abs(move.mean(axis=1)), error, out=np.zeros(len(move)), where=error > 0)
    scores = norm.isf(np.maximum(t.sf(ratio, n_refits - 1), 1e-300))
    worst = float(scores.max())
    detail = f"worst of {len(draws)} {kind}, second against first halves of {n_refits} refits"
    return make_check(f"refit_drift_{kind}", worst, DRIFT, detail)


def _effective_check(shares: FloatArray) -> Check:
    """Effective number of draws of the totals behind the mean of a share.

    The variance of a mean over refits, told by how the means of refits differ, against that of one
    draw: at least as many as there are refits, more where most of the variance is within them.
    """
    means = shares.mean(axis=(2, 3))
    error = means.var(axis=1, ddof=1) / means.shape[1]
    variance = shares.var(axis=(1, 2, 3))
    sizes = np.divide(variance, error, out=np.full(len(error), np.inf), where=error > 0)
    detail = f"smallest of {len(shares)} shares, from {means.shape[1]} draws of the totals"
    return make_check("effective_total_draws", float(sizes.min()), EFFECTIVE_DRAWS, detail)


def _sampler_checks(fit: PosteriorFit, n_chains: int, n_refits: int) -> list[Check]:
    statistics = fit.sample_stats
    diverging = statistics["diverging"].to_numpy()
    deepest = statistics["maxdepth_reached"].to_numpy()
    energy = statistics["energy"].to_numpy().reshape(n_chains, n_refits, -1)
    moved = np.square(np.diff(energy, axis=2)).mean(axis=2).mean()
    fraction = float(moved / energy.var(axis=2, ddof=1).mean())
    of = f"of {diverging.size} draws"
    return [
        make_check(
            "divergent_fraction",
            float(diverging.mean()),
            DIVERGENT_FRACTION,
            f"{int(diverging.sum())} {of}",
        ),
        make_check(
            "max_depth_fraction",
            float(deepest.mean()),
            MAX_DEPTH_FRACTION,
            f"{int(deepest.sum())} {of}",
        ),
        make_check("min_bfmi", fraction, BFMI, "energy, mean over refits"),
        make_check("chains", n_chains, CHAINS, "chains of a refit that can disagree"),
    ]
