"""Nested Laplace approximations against NUTS, for families with more noise than counting.

One small case per family, that the approximation alone gets wrong: Laplace's method overrates large
spreads there. Trajectories mend it. Errors of means are in posterior sds; both sides have some
1,000 effective draws for rates, so noise alone gives a root mean square of .045 over rates, and
some .06 for a parameter, or .1 where it moves slowly; bounds leave twice that.
"""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib import names
from bayes_attrib.inference import SamplerSettings, fit_nuts
from bayes_attrib.inference.laplace import LaplaceSettings, approximation_checks, fit_laplace
from bayes_attrib.model import build_model
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import load_spec, parse_plain

CASES = {
    "negative_binomial-aggregate": ({"alpha": 8.0}, "negative_binomial", "aggregate"),
    "negative_binomial-pair": ({"phi": 2.0}, "negative_binomial", "pair"),
    "hurdle_gamma-pair": (
        {"family": "gamma", "phi": 120.0, "price": 60.0, "zero_inflation": 0.15},
        "hurdle_gamma",
        "pair",
    ),
}


@pytest.mark.sampling
@pytest.mark.statistical
@pytest.mark.parametrize("case", CASES)
def test_overdispersed_totals(root, case):
    options, family, level = CASES[case]
    sizes = {"n_entities": 120, "n_aggregates": 40}
    data = simulate("hcp_brick", seed=1, options=sizes | options).build_data(["specialty"])
    plain = load_spec(root / "models" / "hcp_brick.toml").model_dump(mode="json")
    spec = parse_plain(plain | {"likelihood": {"family": family, "level": level}}, source="test")
    near = fit_laplace(data, spec, LaplaceSettings(draws=1000, seed=1))
    sampled = fit_nuts(build_model(data, spec), SamplerSettings(800, 400, 2, seed=1))
    log_rates = sampled.draws(names.LOG_RATE)
    gap = near.draws(names.LOG_RATE).mean(axis=1) - log_rates.mean(axis=1)
    assert np.sqrt(np.mean((gap / log_rates.std(axis=1)) ** 2)) < 0.09
    ratio = near.draws(names.RATE).std(axis=1) / sampled.draws(names.RATE).std(axis=1)
    assert 0.92 < np.median(ratio) < 1.10
    for parameter in spec.parameters:
        first, second = sampled.draws(parameter), near.draws(parameter)
        assert abs(second.mean() - first.mean()) < 0.25 * first.std(), parameter
    checks = {check.name: check for check in approximation_checks(near)}
    assert checks["start_remembered"].status == "ok"
