"""400 physicians in 80 bricks: a log density written by hand, and draws from two samplers.

The hand-written density shares nothing with the package but the tables: NumPy instead of PyTensor, a
dense exposure matrix instead of edges, and a parameterisation that is standard normal throughout,
group effects in an orthonormal basis of the vectors that sum to zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from scipy.linalg import helmert

import hmc
from bayes_attrib.attribution import DrawMatrix, allocate
from bayes_attrib.inference import SamplerSettings, fit_nuts
from bayes_attrib.model import build_model
from bayes_attrib.model.families import get_family
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
    """Log density of (intercept, log sigma_group, log sigma_entity, basis effects, entity effects)."""

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
        intercept, sigma_group, sigma_entity = q[:, :1], np.exp(q[:, 1:2]), np.exp(q[:, 2:3])
        unit_effect = q[:, 3 : 2 + self.n_levels] @ self.basis
        return intercept, sigma_group, sigma_entity, unit_effect, q[:, 2 + self.n_levels :]

    def log_rate(self, q):
        """Log rates, shape (n_chains, n_entities)."""
        intercept, sigma_group, sigma_entity, unit_effect, offset = self.split(q)
        groups = sigma_group * unit_effect
        return self.log_r0 + intercept + groups[:, self.codes] + sigma_entity * offset

    def __call__(self, q):
        """Log densities up to a constant, and gradients."""
        _, sigma_group, sigma_entity, unit_effect, offset = self.split(q)
        rate = np.exp(self.log_rate(q))
        mu = rate @ self.exposure.T
        log_sigma = q[:, 1:3]
        logp = (
            (self.totals * np.log(mu) - mu).sum(axis=1)
            - q[:, 0] ** 2 / 2
            + (log_sigma - np.exp(2 * log_sigma) / 2).sum(axis=1)
            - (q[:, 3:] ** 2).sum(axis=1) / 2
        )
        by_entity = rate * ((self.totals / mu - 1) @ self.exposure)
        by_group = by_entity @ self.indicator
        gradient = -q.copy()
        gradient[:, :1] += by_entity.sum(axis=1, keepdims=True)
        gradient[:, 1:3] = 1 - np.exp(2 * log_sigma)
        gradient[:, 1] += sigma_group[:, 0] * (by_group * unit_effect).sum(axis=1)
        gradient[:, 2] += sigma_entity[:, 0] * (by_entity * offset).sum(axis=1)
        gradient[:, 3 : 2 + self.n_levels] += sigma_group * (by_group @ self.basis.T)
        gradient[:, 2 + self.n_levels :] += sigma_entity * by_entity
        return logp, gradient


@cache
def hand_written_draws(size: int, seed: int) -> Mapping[str, np.ndarray]:
    """Quantities of interest by the hand-written density and sampler, each (8, size)."""
    target, rng = HandWritten(), np.random.default_rng(seed)
    start = 0.3 * rng.standard_normal((8, target.size))
    drawn = hmc.draw(target, start, tune=1000, draws=size, rng=rng)
    flat = drawn.reshape(-1, target.size)
    intercept, sigma_group, sigma_entity, unit_effect, _ = target.split(flat)
    log_rate = target.log_rate(flat)
    scalars = {
        "intercept": intercept[:, 0],
        "sigma_entity": sigma_entity[:, 0],
        f"sigma_{GROUP}": sigma_group[:, 0],
    }
    amounts = _hand_allocation(target, np.exp(log_rate), rng)
    found = _quantities(scalars, (sigma_group * unit_effect).T, log_rate.T, amounts)
    return {name: draws.reshape(len(drawn), -1) for name, draws in found.items()}


def _hand_allocation(target, rate, rng):
    """Amounts by entity, (n_entities, n_draws): each brick's units thrown one entity at a time."""
    amounts = np.zeros(rate.shape)
    for total, exposure in zip(target.totals, target.exposure, strict=True):
        present = np.flatnonzero(exposure)
        expected = rate[:, present] * exposure[present]
        left, rest = np.full(len(rate), int(total)), expected.sum(axis=1)
        for j, e in enumerate(present[:-1]):
            taken = rng.binomial(left, np.minimum(expected[:, j] / rest, 1.0))
            amounts[:, e] += taken
            left, rest = left - taken, rest - expected[:, j]
        amounts[:, present[-1]] += left
    return amounts.T


def _quantities(scalars, effects, log_rate, amounts):
    """What is compared, by name: each of shape (n_draws,)."""
    found = dict(scalars)
    found |= {f"log_{name}": np.log(scalars[name]) for name in scalars if "sigma" in name}
    grouping = DATA.groupings[GROUP]
    by_group = grouping.indicator @ amounts
    for k, level in enumerate(grouping.levels):
        found |= {f"effect {level}": effects[k], f"amount of {level}": by_group[k]}
    rate = np.exp(log_rate)
    expected = DATA.exposure.toarray() * (DATA.totals[:, np.newaxis])
    shares = _expected_shares(rate)
    del expected
    for e in chosen_entities():
        name = DATA.entity_names[e]
        found |= {
            f"log rate of {name}": log_rate[e],
            f"share of {name}": shares[e],
            f"amount of {name}": amounts[e],
        }
    return found
