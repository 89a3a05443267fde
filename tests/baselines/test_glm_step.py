from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from bayes_attrib.baselines.glm_step import GlmProblem, fit_glm


@pytest.mark.parametrize("family", ["poisson", "gamma"])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_it_maximises_the_penalised_likelihood_in_nats(family, unit):
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(30, 2))
    response = unit * rng.gamma(2.0, size=30)
    weight = rng.gamma(3.0, size=30) if family == "gamma" else np.ones(30)
    offset = rng.normal(size=30)
    penalty = np.array([3.0, 0.0]) * (unit if family == "poisson" else 1.0)

    def loss(parameters):
        eta = offset + parameters[0] + matrix @ parameters[1:]
        nats = (
            response * eta - np.exp(eta) if family == "poisson" else -eta - response / np.exp(eta)
        )
        scale = unit if family == "poisson" else 1.0
        return -(weight @ nats - 0.5 * penalty @ parameters[1:] ** 2) / scale

    start = np.array([np.log(unit), 0.0, 0.0])
    direct = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13})
    predictors, precision = np.column_stack([np.ones(30), matrix]), np.append(0.0, penalty)
    fitted = fit_glm(GlmProblem(family, response, weight, offset), predictors, precision, start)
    np.testing.assert_allclose(fitted, direct.x, atol=1e-6)
