"""Two entities, three aggregates: the posterior by numerical integration.

The unknowns are the intercept a, sigma, two entity effects, a dispersion parameter and the
probability of a zero. Only the two log rates and the last two enter the likelihood. With m and d
the mean and the difference of the log rates, m ~ N(log r0, 1 + sigma^2 / 2) and d ~ N(0, 2 sigma^2)
are independent given sigma, so what is left to integrate is smooth in x = (m - log r0) / sqrt(1 +
sigma^2 / 2), t = d / (sqrt(2) sigma), sigma and the log dispersion. Rules of trapezoids in x and t
(exponentially accurate for such integrands), Gauss-Legendre in sigma, trapezoids in the log
dispersion; in the probability of a zero the likelihood is a polynomial, for which Gauss-Legendre is
exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy import stats

from bayes_attrib.attribution import allocate
from bayes_attrib.inference import DrawMatrix, ExpectedDraws, SamplerSettings, fit_nuts
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.lift_test import LiftTest
from bayes_attrib.model import build_model
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec

EXPOSURE = np.array([[2.0, 1.0], [1.0, 3.0], [0.5, 0.0]])
COUNTS = np.array([9.0, 5.0, 1.0])
MONEY = np.array([9.3, 4.6, 1.2])
LAST_IS_ZERO = np.array([1.0, 1.0, 0.0])


TESTED = ((0, 0), (1, 0))
"""Cells (aggregate, entity) that a lift test covers, where there is one."""


@dataclass(frozen=True)
class Lift:
    """A lift test of the cells ``TESTED``; ``sign`` is a fault that tests of the tests put in."""

    increment: float
    error: float
    ratio: float = 1.0
    sign: float = 1.0
    cells: tuple[tuple[int, int], ...] = TESTED


@dataclass(frozen=True)
class Tiny:
    """A tiny model; the last fields are faults that tests of the tests put in.

    Attributes
    ----------
    family, level : str
        Likelihood.
    entity_sd : float
        Prior standard deviation of the entity effects, in units of sigma; 1 is right.
    intercept_mean : float
        Prior mean of the intercept; 0 is right.
    lift : Lift or None
        A lift test.
    """

    family: str
    level: str | None
    entity_sd: float = 1.0
    intercept_mean: float = 0.0
    lift: Lift | None = None

    @property
    def totals(self):
        totals = MONEY if self.base in {"gamma", "lognormal"} else COUNTS
        return totals * LAST_IS_ZERO if self.has_pi else totals

    @property
    def base(self):
        return self.family.removeprefix("zero_inflated_").removeprefix("hurdle_")

    @property
    def has_pi(self):
        return self.base != self.family

    @property
    def dispersion(self):
        """Name of the dispersion parameter, and the mean and sd of its logarithm."""
        if self.base == "poisson":
            return None
        if self.base == "lognormal":
            return "sigma_total", np.log(0.3), 0.75
        if self.level == "aggregate":
            return "alpha", 2.4, 1.5
        mean_cell = self.totals.sum() / np.count_nonzero(EXPOSURE)
        return "phi", np.log(mean_cell) if self.base == "gamma" else 0.0, 1.5

    def data(self) -> AggregateData:
        return AggregateData(
            aggregate_keys=pd.DataFrame({"brick": ["b1", "b2", "b3"]}),
            totals=self.totals,
            entity_key="hcp",
            entity_names=np.array(["A", "B"], dtype=object),
            exposure=sp.csr_array(EXPOSURE),
            lift_tests=() if self.lift is None else (self._test(self.lift),),
        )

    def _test(self, lift: Lift) -> LiftTest:
        place = {cell: edge for edge, cell in enumerate(zip(*np.nonzero(EXPOSURE), strict=True))}
        edges = np.array([place[cell] for cell in lift.cells])
        return LiftTest("t", "A", "", "", lift.increment, lift.error, lift.ratio, edges)

    def spec(self, entity="auto") -> ModelSpec:
        return ModelSpec.model_validate(
            {
                "schema_version": 1,
                "name": "tiny",
                "columns": {"aggregate": ("brick",), "entity": "hcp"},
                "likelihood": {"family": self.family, "level": self.level},
                "rates": {"geometry": {"entity": entity}},
                "priors": {},
            }
        )

    @cache  # noqa: B019, the few cases live as long as the tests
    def draws(self, size: int, seed: int) -> Mapping[str, np.ndarray]:
        """Draws by the package, each of shape (4, size): sampler and allocation."""
        data, spec = self.data(), self.spec()
        settings = SamplerSettings(draws=size, tune=1000, chains=4, seed=seed)
        fit = fit_nuts(build_model(data, spec), settings)
        family = get_family(spec.likelihood)
        noise = {name: fit.draws(name) for name in family.parameters}
        amounts = allocate(
            ExpectedDraws(data, DrawMatrix.of(fit.draws("rate"))),
            family,
            noise,
            interval=spec.report.interval,
            rng=np.random.default_rng(seed),
        ).amounts.rows(slice(None))
        found = {name: fit.draws(name) for name in ("intercept", "sigma_entity")}
        found |= {"pi": noise.pop("pi")} if self.has_pi else {}
        found |= {f"log_{name}": np.log(draws) for name, draws in noise.items()}
        for e, name in enumerate("AB"):
            found[f"log_rate_{name}"] = fit.draws("log_rate")[e]
            found[f"amount_{name}"] = amounts[e]
            if self.level != "aggregate":
                found[f"rate_{name}"] = fit.draws("rate")[e]
        return {name: draws.reshape(fit.n_chains, -1) for name, draws in found.items()}


@dataclass(frozen=True)
class Resolution:
    """Step of the trapezoids in standard normal coordinates, and nodes for sigma."""

    step: float = 0.2
    dispersion_step: float = 0.5
    n_sigma: int = 40


DEFAULT = Resolution()


@cache
def moments(tiny: Tiny, resolution: Resolution = DEFAULT) -> Mapping[str, tuple]:
    """Posterior mean and variance of every quantity, by name.

    Returns
    -------
    mapping of str to (mean, variance)
        ``intercept``, ``sigma_entity``, ``log_rate_*``, ``rate_*``, ``amount_*`` (over all
        aggregates), ``pi`` and the logarithm of the dispersion parameter. At level "aggregate" the
        variance of a rate is infinite (a small alpha lets any rate pass), so rates are left out.
    """
    x, t = (np.arange(-6, 6 + resolution.step / 2, resolution.step) for _ in range(2))
    nodes, weights = np.polynomial.legendre.leggauss(resolution.n_sigma)
    sigma, weights = 3.5 * (nodes + 1), 3.5 * weights
    x, t, sigma = x[:, None, None], t[:, None], sigma[None, :]
    spread = np.sqrt(1 + (tiny.entity_sd * sigma) ** 2 / 2)
    middle = np.log(tiny.totals.sum() / EXPOSURE.sum()) + tiny.intercept_mean + spread * x
    half_difference = tiny.entity_sd * sigma * t / np.sqrt(2)
    log_rates = np.stack([middle + half_difference, middle - half_difference])
    base = stats.norm.pdf(x) * stats.norm.pdf(t) * stats.norm.pdf(sigma) * weights
    plain = {
        "sigma_entity": (np.broadcast_to(sigma, base.shape),) * 2,
        "intercept": _intercept_moments(x, spread, tiny.intercept_mean, base.shape),
        "log_rate_A": (log_rates[0],) * 2,
        "log_rate_B": (log_rates[1],) * 2,
    }
    if tiny.level != "aggregate":
        plain |= {f"rate_{e}": (np.exp(log_rates[i]),) * 2 for i, e in enumerate("AB")}
    sums = _Sums()
    for log_dispersion, weight in _dispersion_nodes(tiny, resolution):
        dispersion = np.exp(log_dispersion)
        rates = np.exp(log_rates)
        likelihood, pi = _likelihood(tiny, rates, dispersion)
        posterior = base * weight * likelihood
        if tiny.lift is not None:
            posterior = posterior * lift_density(tiny, tiny.lift, rates, dispersion)
        sums.add(posterior, plain | _amount_moments(tiny, rates, dispersion))
        if tiny.dispersion:
            sums.add(posterior, {f"log_{tiny.dispersion[0]}": (log_dispersion,) * 2}, count=False)
        if tiny.has_pi:
            sums.add(posterior, {"pi": pi}, count=False)
    return sums.moments()


class _Sums:
    """Weighted sums of means and second moments."""

    def __init__(self):
        self._mass, self._first, self._second = 0.0, {}, {}

    def add(self, posterior, pairs, *, count=True):
        """Add quantities, each as its first factor and its (rooted) second moment."""
        self._mass += posterior.sum() if count else 0.0
        for name, (mean, root) in pairs.items():
            self._first[name] = self._first.get(name, 0.0) + (posterior * mean).sum()
            self._second[name] = self._second.get(name, 0.0) + (posterior * root**2).sum()

    def moments(self):
        found = {}
        for name, first in self._first.items():
            mean = first / self._mass
            found[name] = (mean, self._second[name] / self._mass - mean**2)
        return found


def _intercept_moments(x, spread, mean, shape):
    """Intercept given the log rates: their mean m says all, with var(m | a) = spread^2 - 1."""
    expected = mean + x / spread
    root = np.sqrt(expected**2 + (spread**2 - 1) / spread**2)
    return np.broadcast_to(expected, shape), np.broadcast_to(root, shape)


def _dispersion_nodes(tiny, resolution):
    if not tiny.dispersion:
        return [(0.0, 1.0)]
    nodes = np.arange(-5, 5 + resolution.dispersion_step / 2, resolution.dispersion_step)
    _, mean, sd = tiny.dispersion
    return [(mean + sd * v, stats.norm.pdf(v)) for v in nodes]


def _likelihood(tiny, rates, dispersion):
    """Likelihood, pi integrated out, and the first two (rooted) moments of pi given the rest."""
    densities = [
        _density(tiny, total, exposure[0] * rates[0] + exposure[1] * rates[1], dispersion)
        for exposure, total in zip(EXPOSURE, tiny.totals, strict=True)
    ]
    if not tiny.has_pi:
        return np.prod(densities, axis=0), None
    nodes, weights = np.polynomial.legendre.leggauss(4)
    moments = np.zeros((3, *densities[0].shape))
    for pi, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        spared = [pi * (total == 0) for total in tiny.totals]
        factors = [s + (1 - pi) * f for s, f in zip(spared, densities, strict=True)]
        moments += weight * np.prod(factors, axis=0) * pi ** np.arange(3)[:, None, None, None]
    mean, second = moments[1:] / np.maximum(moments[0], 1e-300)
    return moments[0], (mean, np.sqrt(second))


def _density(tiny, total, mu, dispersion):
    """Density of a total that was not spared."""
    if tiny.base == "poisson":
        return stats.poisson.pmf(total, mu)
    if total == 0 and tiny.base in {"gamma", "lognormal"}:
        return np.zeros_like(mu)
    if tiny.base == "lognormal":
        return stats.lognorm.pdf(total, dispersion, scale=mu * np.exp(-(dispersion**2) / 2))
    shape = dispersion if tiny.level == "aggregate" else mu / dispersion
    if tiny.base == "gamma":
        return stats.gamma.pdf(total, shape, scale=mu / shape)
    return stats.nbinom.pmf(total, shape, shape / (shape + mu))


def _amount_moments(tiny, rates, dispersion):
    """Mean and rooted second moment, given rates and dispersion, of the sum over aggregates."""
    means, variances = [0.0, 0.0], 0.0
    for exposure, total in zip(EXPOSURE, tiny.totals, strict=True):
        mu = exposure[:, None, None, None] * rates
        share = mu / mu.sum(axis=0)
        means = [mean + total * p for mean, p in zip(means, share, strict=True)]
        variances = variances + share[0] * share[1] * _variance_factor(
            tiny, total, mu.sum(axis=0), dispersion
        )
    roots = [np.sqrt(mean**2 + variances) for mean in means]
    return {
        f"amount_{e}": pair for e, pair in zip("AB", zip(means, roots, strict=True), strict=True)
    }


def lift_density(tiny, lift, rates, dispersion):
    """Density of a measured increment: normal, with the mean and variance of the part's amount."""
    mean, variance = part_moments(tiny, lift, rates, dispersion)
    sd = np.sqrt(lift.error**2 + lift.ratio**2 * variance)
    return stats.norm.pdf(lift.increment, lift.sign * lift.ratio * mean, sd)


def part_moments(tiny, lift, rates, dispersion):
    """Mean and variance, given totals and rates, of the amount that a lift test is about."""
    mean = variance = 0.0
    for b, e in lift.cells:
        mu = EXPOSURE[b, :, None, None, None] * rates
        share, total = mu[e] / mu.sum(axis=0), tiny.totals[b]
        mean = mean + total * share
        variance = variance + share * (1 - share) * _variance_factor(
            tiny, total, mu.sum(axis=0), dispersion
        )
    return mean, variance


def _variance_factor(tiny, total, mu, dispersion):
    """Variance of an amount given its total, over p (1 - p).

    Of a binomial y; of a beta-binomial y (y + c) / (1 + c); of y times a beta y^2 / (1 + c).
    """
    if tiny.base in {"gamma", "lognormal"} and tiny.level == "aggregate":
        return 0.0
    if tiny.level != "pair":
        return total
    concentration = mu / dispersion
    if tiny.base == "gamma":
        return total**2 / (1 + concentration)
    return total * (total + concentration) / (1 + concentration)
