"""The model that users write first: dense exposures, centred lognormal rates, normal groups."""

from __future__ import annotations

import pymc as pm

from peers.problem import Problem


def build(problem: Problem) -> pm.Model:
    """Build the model; its group effects are not held to sum to zero, else it has our priors."""
    data = problem.data
    dense = data.exposure.toarray()
    with pm.Model(coords={"specialty": problem.levels}) as model:
        intercept = pm.Normal("intercept", 0.0, 1.0)
        sigma_specialty = pm.HalfNormal("sigma_specialty", 1.0)
        sigma_entity = pm.HalfNormal("sigma_entity", 1.0)
        effect = pm.Normal("effect_specialty", 0.0, sigma_specialty, dims="specialty")
        centre = problem.log_scale + intercept + effect[problem.group]
        rate = pm.LogNormal("rate", centre, sigma_entity)
        pm.Poisson("total", dense @ rate, observed=data.totals.astype(int))
    return model
