"""Stock parts of PyMC: a constant sparse matrix, non-centred entities, zero-sum groups."""

from __future__ import annotations

import pymc as pm
import pytensor.sparse as ps
import pytensor.tensor as pt
from scipy.sparse import csc_matrix

from peers.problem import Problem


def build(problem: Problem) -> pm.Model:
    """Build the model; priors and geometry are ours."""
    data = problem.data
    exposure = ps.as_sparse_variable(csc_matrix(data.exposure))
    with pm.Model(coords={"specialty": problem.levels}) as model:
        intercept = pm.Normal("intercept", 0.0, 1.0)
        sigma_specialty = pm.HalfNormal("sigma_specialty", 1.0)
        sigma_entity = pm.HalfNormal("sigma_entity", 1.0)
        effect = pm.ZeroSumNormal("effect_specialty", sigma_specialty, dims="specialty")
        offset = pm.Normal("offset_entity", shape=data.n_entities)
        centre = problem.log_scale + intercept + effect[problem.group]
        rate = pm.Deterministic("rate", pt.exp(centre + sigma_entity * offset))
        mu = ps.structured_dot(exposure, rate[:, None])[:, 0]
        pm.Poisson("total", mu, observed=data.totals.astype(int))
    return model
