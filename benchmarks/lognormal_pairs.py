"""What the lognormal family of pairs approximates, and how far off it is.

First the marginal law: a lognormal with the mean and variance of the sum, against the sum itself.
Then the amounts given their total: the short Markov chain that a fit uses, against one five times
as long, and beside it what rescaling independent lognormals to the total would give. Distances are
those of Kolmogorov and Smirnov: the largest difference of two distribution functions, of the total,
and of the share of any entity. Between samples of one law the largest of several is .01 to .03.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import stats

from bayes_attrib.model.families import FAMILIES, Cells
from bayes_attrib.model.families.cells import shares_of
from bayes_attrib.model.families.lognormal_splits import N_ROUNDS, draw_lognormal_shares

N_SUMS, N_DRAWS = 400_000, 10_000
SIGMAS = (0.3, 0.6, 1.0, 1.5)
QUANTILES = (0.01, 0.5, 0.99)


def expectations(n_entities: int) -> np.ndarray:
    """Uneven expected amounts that sum to one: the largest is some thirty times the smallest."""
    mu = np.exp(np.linspace(-1.7, 1.7, n_entities))
    return mu / mu.sum()


def draw_sums(mu: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal((len(mu), N_SUMS))
    return mu @ np.exp(sigma * noise - sigma**2 / 2)


def marginal_error(mu: np.ndarray, sigma: float, rng: np.random.Generator) -> tuple[float, ...]:
    """Distance of the two laws of a total, and their 3% and 97% quantiles, one over the other."""
    family = FAMILIES["lognormal", "pair_approximation"]
    sums = draw_sums(mu, sigma, rng)
    noise = {"sigma_total": np.full(1, sigma), "herfindahl": np.sum(mu**2)}
    near = family.draw_totals(np.ones((N_SUMS, 1)), noise, rng)[:, 0]
    tails = np.quantile(near, (0.03, 0.97)) / np.quantile(sums, (0.03, 0.97))
    return (float(stats.ks_2samp(sums, near).statistic), *map(float, tails))


def split_errors(mu: np.ndarray, sigma: float, rng: np.random.Generator) -> list[str]:
    """Distances of the chain, and of rescaled lognormals, for totals at several quantiles."""
    totals = np.quantile(draw_sums(mu, sigma, rng), QUANTILES)
    indptr = np.arange(0, len(mu) * len(totals) + 1, len(mu))
    cells = Cells(totals, indptr, np.tile(mu, len(totals))[:, np.newaxis] * np.ones(N_DRAWS))
    sd = np.full(N_DRAWS, sigma)
    long = draw_lognormal_shares(cells, sd, rng, n_rounds=5 * N_ROUNDS)
    short = draw_lognormal_shares(cells, sd, rng)
    rescaled = shares_of(indptr, cells.mu * np.exp(sigma * rng.standard_normal(cells.mu.shape)))
    found = []
    for first, last in pairwise(indptr):
        worst = [
            max(stats.ks_2samp(x[e], long[e]).statistic for e in range(first, last))
            for x in (short, rescaled)
        ]
        found.append(f"{worst[0]:.3f} ({worst[1]:.2f})")
    return found


def main() -> None:
    print("| entities | sigma | law of the total | its quantiles, 3% and 97% |", end="")
    print(" amounts, total at its 1% | at 50% | at 99% |")
    for n_entities in (2, 5, 20):
        mu = expectations(n_entities)
        for i, sigma in enumerate(SIGMAS):
            rng = np.random.default_rng([n_entities, i])
            distance, low, high = marginal_error(mu, sigma, rng)
            cells = [str(n_entities), f"{sigma}", f"{distance:.3f}", f"x {low:.2f}, x {high:.2f}"]
            print("|", " | ".join([*cells, *split_errors(mu, sigma, rng)]), "|", flush=True)


if __name__ == "__main__":
    main()
