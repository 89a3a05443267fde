"""400 physicians in 80 bricks: a log density written by hand, and draws from two samplers.

The hand-written density shares nothing with the package but the tables: NumPy instead of PyTensor,
a dense exposure matrix instead of edges, group effects as coefficients of Helmert's orthonormal
basis of the vectors that sum to zero. (Coefficients in units of their sd would not do: the large
values of that sd, which the data leave possible, are too stiff for a fixed step size to enter.)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import hmc
import numpy as np
from scipy.linalg import helmert

from bayes_attrib.attribution import allocate
from bayes_attrib.inference import (
    DrawMatrix,
    ExpectedDraws,
    PosteriorFit,
    SamplerSettings,
    fit_nuts,
)
from bayes_attrib.model import build_model
from bayes_attrib.model.families import Family
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import ModelSpec

GROUP = "specialty"
N_LOOKED_AT = 20
DATA = simulate("hcp_brick", seed=1).build_data([GROUP])
SPEC = ModelSpec.model_validate(
    {
        "schema_version": 1,
        "name": "hcp_brick",
        "columns": {"aggregate": ("brick_id",), "entity": "hcp_id", "total": "units"},
        "rates": {"pooling": (GROUP,)},
        "priors": {},
    }
)


def chosen_entities() -> np.ndarray:
    """Entities that are looked at: every twentieth by exposure, from the least to the most."""
    order = np.argsort(np.asarray(DATA.exposure.sum(axis=0)).ravel())
    return order[np.linspace(0, len(order) - 1, N_LOOKED_AT).astype(int)]


class HandWritten:
    """Log density of intercept, log sigmas of group and entity, basis effects, entity effects."""

    def __init__(self):
        self.exposure = DATA.exposure.toarray()
        self.totals = DATA.totals
        seen = self.exposure.sum(axis=1) > 0
        self.exposure, self.totals = self.exposure[seen], self.totals[seen]
        self.log_r0 = np.log(self.totals.sum() / self.exposure.sum())
        self.codes = DATA.groupings[GROUP].codes
        self.n_levels, self.n_entities = self.codes.max() + 1, len(self.codes)
        self.basis = helmert(self.n_levels)  # (n_levels - 1, n_levels): orthonormal, sums to zero
        self.indicator = (self.codes[:, np.newaxis] == np.arange(self.n_levels)).astype(float)
        self.size = 3 + self.n_levels - 1 + self.n_entities

    def split(self, q):
        """Unpack positions (n_chains, size): intercept, sigmas, effects of groups, of entities."""
        first = 2 + self.n_levels
        effect = q[:, 3:first] @ self.basis
        return q[:, :1], np.exp(q[:, 1:2]), np.exp(q[:, 2:3]), effect, q[:, first:]

    def log_rate(self, q):
        """Log rates, shape (n_chains, n_entities)."""
        intercept, _, sigma_entity, effect, offset = self.split(q)
        return self.log_r0 + intercept + effect[:, self.codes] + sigma_entity * offset

    def __call__(self, q):
        """Log densities up to a constant, and gradients."""
        first, n_free = 2 + self.n_levels, self.n_levels - 1
        _, sigma_group, sigma_entity, _, offset = self.split(q)
        rate = np.exp(self.log_rate(q))
        mu = rate @ self.exposure.T
        log_sigma, coefficients = q[:, 1:3], q[:, 3:first] / sigma_group
        logp = (
            (self.totals * np.log(mu) - mu).sum(axis=1)
            - q[:, 0] ** 2 / 2
            + (log_sigma - np.exp(2 * log_sigma) / 2).sum(axis=1)
            - (coefficients**2).sum(axis=1) / 2
            - n_free * q[:, 1]
            - (offset**2).sum(axis=1) / 2
        )
        by_entity = rate * ((self.totals / mu - 1) @ self.exposure)
        by_group = by_entity @ self.indicator
        gradient = np.empty_like(q)
        gradient[:, 0] = by_entity.sum(axis=1) - q[:, 0]
        gradient[:, 1:3] = 1 - np.exp(2 * log_sigma)
        gradient[:, 1] += (coefficients**2).sum(axis=1) - n_free
        gradient[:, 2] += sigma_entity[:, 0] * (by_entity * offset).sum(axis=1)
        gradient[:, 3:first] = by_group @ self.basis.T - coefficients / sigma_group
        gradient[:, first:] = sigma_entity * by_entity - offset
        return logp, gradient


@cache
def hand_written_draws(size: int, seed: int) -> Mapping[str, np.ndarray]:
    """Quantities of interest by hand-written density, sampler and allocation, each (8, size)."""
    target, rng = HandWritten(), np.random.default_rng(seed)
    start = 0.3 * rng.standard_normal((8, target.size))
    drawn = hmc.draw(target, start, tune=600, draws=size, rng=rng).reshape(-1, target.size)
    intercept, sigma_group, sigma_entity, effect, _ = target.split(drawn)
    log_rate = target.log_rate(drawn)
    rate = np.exp(log_rate)
    ratio = target.totals / (rate @ target.exposure.T)
    found = _quantities(
        {
            "intercept": intercept[:, 0],
            f"sigma_{GROUP}": sigma_group[:, 0],
            "sigma_entity": sigma_entity[:, 0],
        },
        effects=effect.T,
        log_rate=log_rate.T,
        expected_amounts=(rate * (ratio @ target.exposure)).T,
        amounts=_allocated_by_hand(target, rate, rng),
    )
    return {name: draws.reshape(8, size) for name, draws in found.items()}


def fit(size: int, seed: int) -> PosteriorFit:
    """Draw with the package, 4 chains."""
    settings = SamplerSettings(draws=size, tune=500, chains=4, seed=seed)
    return fit_nuts(build_model(DATA, SPEC), settings)


cached_fit = cache(fit)


def package_draws(posterior: PosteriorFit, family: Family, seed: int) -> Mapping[str, np.ndarray]:
    """Quantities of interest by the package, each (4, size)."""
    everybody = slice(None)
    allocation = allocate(
        ExpectedDraws(DATA, DrawMatrix.of(posterior.draws("rate"))),
        family,
        {},
        interval=SPEC.report.interval,
        rng=np.random.default_rng(seed),
    )
    found = _quantities(
        {name: posterior.draws(name) for name in SPEC.parameters},
        effects=posterior.draws(f"effect_{GROUP}"),
        log_rate=posterior.draws("log_rate"),
        expected_amounts=allocation.expected_amounts.rows(everybody),
        amounts=allocation.amounts.rows(everybody),
    )
    return {name: draws.reshape(posterior.n_chains, -1) for name, draws in found.items()}


def _allocated_by_hand(target, rate, rng):
    """Amounts (n_entities, n_draws): the units of each brick, one entity after the other."""
    amounts = np.zeros(rate.shape)
    for total, exposure in zip(target.totals, target.exposure, strict=True):
        present = np.flatnonzero(exposure)
        expected = rate[:, present] * exposure[present]
        left = np.full(len(rate), int(total))
        for j, e in enumerate(present):
            chance = expected[:, j] / expected[:, j:].sum(axis=1)
            taken = rng.binomial(left, np.minimum(chance, 1.0))
            amounts[:, e] += taken
            left = left - taken
    return amounts.T


def _quantities(scalars, *, effects, log_rate, expected_amounts, amounts):
    """What is compared, by name: each of shape (n_draws,)."""
    found = dict(scalars)
    found |= {f"log {name}": np.log(draws) for name, draws in scalars.items() if "sigma" in name}
    grouping = DATA.groupings[GROUP]
    by_group = {"share": expected_amounts / DATA.grand_total, "amount": amounts}
    for k, level in enumerate(grouping.levels):
        found[f"effect of {level}"] = effects[k]
        for what, draws in by_group.items():
            found[f"{what} of {level}"] = draws[grouping.codes == k].sum(axis=0)
    for e in chosen_entities():
        name = DATA.entity_names[e]
        found[f"log rate of {name}"] = log_rate[e]
        for what, draws in by_group.items():
            found[f"{what} of {name}"] = draws[e]
    return found
