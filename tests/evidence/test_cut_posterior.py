"""Rates inferred anew from each draw of the totals, against integration of each posterior.

The reference knows nothing of the package: for every draw of the totals it integrates the posterior
of the tiny model of ``tiny_posterior`` anew, with priors and reference rate of the totals as such.
Means and variances of log rates, dispersion and amounts are compared refit by refit, in Monte-Carlo
standard errors; a family of comparisons fails by chance with probability 1e-6 (see ``two_stage``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from monte_carlo_error import p_value_of, scores_against_exact
from tiny_posterior import MONEY, Resolution, Tiny, moments
from two_stage import is_accepted, is_rejected_at_once

from bayes_attrib.attribution import allocate
from bayes_attrib.inference import expected_draws, noise_draws
from bayes_attrib.inference.given_totals import given_totals
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import TotalsSpec
from bayes_attrib.workflow.methods import METHODS, FitJob
from bayes_attrib.workflow.totals import sample_with_totals

N_REFITS = 10
SIZE = 300
COARSE = Resolution(0.25, 0.6, 36)
TINY = Tiny("gamma", "pair")


@dataclass(frozen=True)
class Drawn(Tiny):
    """The tiny model given a draw of its totals, with the prior of the totals themselves."""

    given: tuple[float, ...] = ()

    @property
    def totals(self):
        return np.array(self.given)

    @property
    def dispersion(self):
        return Tiny(self.family, self.level).dispersion


def drawn_totals():
    """Noisy draws, of one common factor and factors of their own, with the totals as mean."""
    rng = np.random.default_rng(11)
    factors = rng.gamma(8.0, 1 / 8.0, (1, N_REFITS)) * rng.gamma(8.0, 1 / 8.0, (3, N_REFITS))
    return DrawnTotals(MONEY[:, None] * factors / factors.mean(axis=1, keepdims=True))


@cache
def refits(size, seed):
    """Totals by refit, and draws of every quantity by refit, each of shape (4, size)."""
    spec = TINY.spec()
    inference = spec.inference.model_copy(
        update={"draws": size * N_REFITS, "seed": seed, "chains": 4, "tune": 500}
    )
    totals = TotalsSpec(uncertainty="cut", draws=N_REFITS)
    spec = spec.model_copy(update={"inference": inference, "totals": totals})
    data = replace(TINY.data(), total_draws=drawn_totals())
    fit = sample_with_totals(METHODS["nuts"], FitJob(data, spec))
    noise = noise_draws(fit, data, spec)
    amounts = allocate(
        expected_draws(fit, data, spec),
        get_family(spec.likelihood),
        noise,
        interval=spec.report.interval,
        rng=np.random.default_rng(seed),
    ).amounts.rows(slice(None))
    found = {"log_phi": np.log(noise["phi"]), "sigma_entity": fit.draws("sigma_entity")}
    for e, name in enumerate("AB"):
        found[f"log_rate_{name}"] = fit.draws("log_rate")[e]
        found[f"amount_{name}"] = amounts[e]
    of_refit = {name: draws.reshape(4, N_REFITS, size) for name, draws in found.items()}
    return given_totals(fit, data).values, of_refit


def reference(totals):
    """Exact moments given a draw of the totals."""
    shift = float(np.log(MONEY.sum() / np.sum(totals)))
    tiny = Drawn("gamma", "pair", intercept_mean=shift, given=tuple(totals))
    return moments(tiny, COARSE)


def comparison(totals_of_reference):
    """P-value of all refits against the exact moments given the totals that a function chooses."""

    def p_value(rng, size):
        values, of_refit = refits(size, int(rng.integers(2**31)))
        scores = {}
        for k in range(N_REFITS):
            exact = reference(totals_of_reference(values, k))
            chains = {name: draws[:, k] for name, draws in of_refit.items()}
            for (name, what), score in scores_against_exact(chains, exact).items():
                scores[f"{name} {k}", what] = score
        return p_value_of(scores)

    return p_value


@pytest.mark.sampling
@pytest.mark.statistical
def test_each_refit_draws_from_the_posterior_given_its_totals():
    assert is_accepted(comparison(lambda values, k: values[:, k]), size=SIZE, seed=21)


@pytest.mark.sampling
@pytest.mark.statistical
@pytest.mark.parametrize(
    "fault",
    [
        lambda values, _: values.mean(axis=1),
        lambda values, k: values[:, (k + 1) % N_REFITS],
        lambda values, k: np.array([values[b, (k + b) % N_REFITS] for b in range(len(values))]),
    ],
    ids=["totals themselves", "totals of another refit", "shuffled within aggregates"],
)
def test_refits_to_other_totals_are_told_apart(fault):
    assert is_rejected_at_once(comparison(fault), size=SIZE, seed=21)
