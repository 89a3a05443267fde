"""R-hat and effective sample sizes of many quantities at once.

The estimators are those of Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021, Bayesian
Analysis 16), as in ArviZ, which tests hold them against; here they run over all quantities
together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri

from bayes_attrib.inputs.aggregate_data import FloatArray

_BLOCK_ELEMENTS = 1_000_000
_FEWEST_DRAWS = 4


def rhat(draws: FloatArray) -> FloatArray:
    """Rank-normalised split R-hat, the larger of that of bulk and of tail.

    Parameters
    ----------
    draws : ndarray, shape (n_quantities, n_chains, n_draws)
        Draws.

    Returns
    -------
    ndarray, shape (n_quantities,)
        NaN where draws are not finite, of fewer than two chains, or fewer than four each.
    """
    if draws.shape[1] < 2:
        return np.full(len(draws), np.nan)
    return _by_blocks(_rhat_block, draws)


def ess_bulk(draws: FloatArray) -> FloatArray:
    """Effective sample size of rank-normalised draws; shapes and NaN as in :func:`rhat`.

    Parameters
    ----------
    draws : ndarray, shape (n_quantities, n_chains, n_draws)
        Draws; one chain is enough.

    Returns
    -------
    ndarray, shape (n_quantities,)
        Number of independent draws that would be as good.
    """
    return _by_blocks(lambda block: _ess(_normal_scores(_split(block))), draws)


def ess_tail(draws: FloatArray, probabilities: tuple[float, float]) -> FloatArray:
    """Smaller effective sample size of two tail probabilities.

    Parameters
    ----------
    draws : ndarray, shape (n_quantities, n_chains, n_draws)
        Draws; one chain is enough.
    probabilities : tuple of float
        Which quantiles bound the tails.

    Returns
    -------
    ndarray, shape (n_quantities,)
        Number of independent draws that would be as good.
    """
    return _by_blocks(lambda block: _ess_tail_block(block, probabilities), draws)


def energy_fractions(energy: FloatArray) -> FloatArray:
    """Bayesian fraction of missing information of each chain (Betancourt 2016, arXiv:1604.00695).

    Parameters
    ----------
    energy : ndarray, shape (n_chains, n_draws)
        Energy of each draw.

    Returns
    -------
    ndarray, shape (n_chains,)
        Small where the energy wanders; NaN where it does not move.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = np.square(np.diff(energy, axis=1)).mean(axis=1)
        return np.asarray(moved / energy.var(axis=1, ddof=1))


def _by_blocks(function: Callable[[FloatArray], FloatArray], draws: FloatArray) -> FloatArray:
    n_quantities, n_chains, n_draws = draws.shape
    values = np.full(n_quantities, np.nan)
    if n_draws < _FEWEST_DRAWS:
        return values
    step = max(1, _BLOCK_ELEMENTS // (n_chains * n_draws))
    for start in range(0, n_quantities, step):
        block = draws[start : start + step]
        finite = np.isfinite(block).all(axis=(1, 2))
        if finite.any():
            values[start : start + step][finite] = function(block[finite])
    return values


def _ess_tail_block(block: FloatArray, probabilities: tuple[float, float]) -> FloatArray:
    bounds = np.quantile(block, probabilities, axis=(1, 2), keepdims=True)
    sizes = [_ess(_split((block <= bound).astype(np.float64))) for bound in bounds]
    return np.asarray(np.minimum(*sizes))


def _split(draws: FloatArray) -> FloatArray:
    """Make two chains of each, leaving out the middle draw of an odd number."""
    half = draws.shape[2] // 2
    return np.concatenate([draws[:, :, :half], draws[:, :, -half:]], axis=1)


def _normal_scores(draws: FloatArray) -> FloatArray:
    """Replace draws by normal quantiles of their ranks among all chains."""
    flat = draws.reshape(len(draws), -1)
    n = flat.shape[1]
    scores = ndtri((_ranks(flat) - 3 / 8) / (n + 1 / 4))
    return np.asarray(scores.reshape(draws.shape))


def _ranks(flat: FloatArray) -> FloatArray:
    """Ranks within rows from one; equal values share the mean of theirs."""
    n_rows, n = flat.shape
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    positions = np.broadcast_to(np.arange(n), ordered.shape)
    new = np.ones((n_rows, n), dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    first = np.maximum.accumulate(np.where(new, positions, 0), axis=1)
    ends = np.ones((n_rows, n), dtype=bool)
    ends[:, :-1] = new[:, 1:]
    last = np.minimum.accumulate(np.where(ends, positions, n)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty((n_rows, n))
    np.put_along_axis(ranks, order, 0.5 * (first + last) + 1.0, axis=1)
    return ranks


def _rhat_block(draws: FloatArray) -> FloatArray:
    split = _split(draws)
    folded = np.abs(split - np.median(split, axis=(1, 2), keepdims=True))
    bulk, tail = (_plain_rhat(_normal_scores(each)) for each in (split, folded))
    return np.where(np.isnan(bulk), np.nan, np.fmax(bulk, tail))


def _plain_rhat(draws: FloatArray) -> FloatArray:
    n = draws.shape[2]
    between = n * draws.mean(axis=2).var(axis=1, ddof=1)
    within = draws.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt((between / within + n - 1) / n))


def _ess(draws: FloatArray) -> FloatArray:
    """Effective sample size by Geyer's initial monotone sequence over the mean of all chains."""
    n_chains, n = draws.shape[1:]
    total = n_chains * n
    covariance = _autocovariance(draws)
    within = covariance[:, 0] * n / (n - 1)
    spread = draws.mean(axis=2).var(axis=1, ddof=1) if n_chains > 1 else 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = 1.0 - (within[:, np.newaxis] - covariance) / (
            covariance[:, :1] + np.reshape(spread, (-1, 1))
        )
    correlation[:, 0] = 1.0
    tau = np.maximum(_geyer_time(correlation), 1 / np.log10(total))
    constant = np.ptp(draws, axis=(1, 2)) < np.finfo(np.float64).resolution
    return np.where(constant, float(total), total / tau)


def _autocovariance(draws: FloatArray) -> FloatArray:
    """Mean over chains of the autocovariance at every lag, shape (n_quantities, n_draws)."""
    n = draws.shape[2]
    length = next_fast_len(2 * n, real=True)
    spectrum = rfft(draws - draws.mean(axis=2, keepdims=True), n=length, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return np.asarray(irfft(power, n=length, axis=1)[:, :n] / n)


def _geyer_time(correlation: FloatArray) -> FloatArray:
    """Integrated autocorrelation time of each row of correlations at lags 0, 1, 2, ..."""
    n_rows, n = correlation.shape
    # Pairs of lags (0, 1), (2, 3), ...; the sequence ends before the last lags, as in ArviZ.
    n_pairs = 1 + max(0, -(-(n - 4) // 2))
    pairs = correlation[:, : 2 * n_pairs].reshape(n_rows, n_pairs, 2)
    sums = pairs.sum(axis=2)
    positive = sums > 0
    positive[:, 0] = True
    kept = np.minimum(np.where(positive, n_pairs, np.arange(n_pairs)).min(axis=1), n_pairs - 1)
    kept = np.where(sums[:, 0] > 0, kept, 0)
    return _tail_and_sum(pairs, sums, kept)


def _tail_and_sum(
    pairs: npt.NDArray[np.float64], sums: FloatArray, ends: npt.NDArray[np.intp]
) -> FloatArray:
    """Sum monotone pairs before each row's end, and a positive even lag at the end."""
    monotone = np.minimum.accumulate(sums, axis=1)
    before = np.arange(sums.shape[1]) < ends[:, np.newaxis]
    even = np.take_along_axis(pairs[:, :, 0], ends[:, np.newaxis], axis=1)[:, 0]
    last = np.take_along_axis(sums, ends[:, np.newaxis], axis=1)[:, 0]
    even = np.where(last >= 0, even, np.fmax(even, 0.0))
    return np.asarray(-1.0 + 2.0 * np.where(before, monotone, 0.0).sum(axis=1) + even)
