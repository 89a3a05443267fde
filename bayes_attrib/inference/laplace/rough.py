"""A point near the middle of the posterior, found in a fraction of a second at any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bayes_attrib import names
from bayes_attrib.inference.laplace.elimination import Known
from bayes_attrib.inference.laplace.explore_exact import mode_of_surface
from bayes_attrib.inference.laplace.explore_iterative import N_PART
from bayes_attrib.inference.laplace.fit import build_posterior
from bayes_attrib.inference.laplace.posterior import Effort
from bayes_attrib.inference.laplace.streams import Purpose, stream
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.edge_terms import edge_terms
from bayes_attrib.model.latent_field import has_latent_field
from bayes_attrib.spec import ModelSpec


def can_find_centre(data: AggregateData, spec: ModelSpec) -> bool:
    """Whether :func:`rough_centre` serves a model and its data."""
    normal = has_latent_field(spec) and spec.likelihood.informs_rates
    return normal and not edge_terms(data, spec)


def rough_centre(data: AggregateData, spec: ModelSpec, seed: int) -> Mapping[str, FloatArray]:
    """Return hyperparameters at their approximate mode, and the mode of all effects given them.

    Hyperparameters are found from a part of the totals, so they are off by more than a posterior sd
    where data are many: good enough to start chains from, not to report.

    Parameters
    ----------
    data : AggregateData
        Totals, exposures, groups and covariates.
    spec : ModelSpec
        A model that :func:`can_find_centre` accepts.
    seed : int
        Seed of the choice of totals.

    Returns
    -------
    mapping of str to ndarray
        Parameters, effects of groups, and ``offset_entity``, by their names in a model.
    """
    whole = build_posterior(data, spec)
    rows = np.arange(whole.field.n_aggregates)
    if len(rows) > N_PART:
        rng = stream(seed, Purpose.PART)
        rows = np.sort(rng.choice(len(rows), N_PART, replace=False))
    part = replace(whole, field=whole.field.of_aggregates(rows), effort=Effort(), known=Known())
    point = mode_of_surface(part)
    values = whole.hyper.values(point)
    mode = whole.iterative_mode(point)
    effects = whole.field.effects(mode.x, whole.field.scale(values))[:, 0]
    found = {name: np.asarray(value) for name, value in values.items()}
    for block in whole.field.blocks:
        own = (mode.x[:, 0] if block.variable == names.ENTITY_OFFSET else effects)[block.span]
        found[block.variable] = own[0] if block.variable == names.INTERCEPT else own
    return found
