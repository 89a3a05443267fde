"""EM +- 2 standard errors, to stand beside the posterior's intervals."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.baselines import (
    PointErrors,
    PointFit,
    bootstrap_em,
    has_information_errors,
    information_errors,
    pearson_dispersion,
)
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.spec import ModelSpec

MOST_PAIRS: Final = 5_000
"""Up to so many pairs the bootstrap costs seconds and is made in every fit."""

REPLICATES: Final = 200

_COLUMNS: Final = tuple(
    f"{prefix}_{what}" for prefix in ("em", "em_information") for what in ("se", "lower", "upper")
)


def em_error_table(data: AggregateData, spec: ModelSpec, em: PointFit) -> pd.DataFrame:
    """Return the EM estimate of every entity with two kinds of standard errors.

    Parameters
    ----------
    data : AggregateData
        The data that EM was fitted to.
    spec : ModelSpec
        Whether totals are counts with Poisson noise, or scatter more; and the seed.
    em : PointFit
        The converged EM estimate.

    Returns
    -------
    DataFrame, shape (n_entities, 8)
        ``name, em_amount, em_se, em_lower, em_upper`` from a parametric bootstrap (NaN beyond
        ``MOST_PAIRS`` pairs), and ``em_information_se, em_information_lower,
        em_information_upper`` from the observed information (NaN where its matrix is too large, see
        :func:`~bayes_attrib.baselines.has_information_errors`); in units of the totals. Entities at
        zero have no information error, and one that the totals leave free has an infinite one. All
        are NaN where EM did not converge, or fits the totals too well to tell their scatter.
    """
    missing = np.full(data.n_entities, np.nan)
    columns = {"name": data.entity_names, "em_amount": em.entity_amount}
    columns |= dict.fromkeys(_COLUMNS, missing)
    dispersion = _dispersion(data, spec, em)
    if not em.converged or dispersion == 0.0:
        return pd.DataFrame(columns)
    if data.n_edges <= MOST_PAIRS:
        seed = spec.inference.seed
        errors = bootstrap_em(data, em, seed=seed, replicates=REPLICATES, dispersion=dispersion)
        columns |= _columns("em", errors)
    if has_information_errors(data, em):
        columns |= _columns("em_information", information_errors(data, em, dispersion=dispersion))
    return pd.DataFrame(columns)


def _columns(prefix: str, errors: PointErrors) -> dict[str, FloatArray]:
    lower, upper = errors.interval("amount")
    return {f"{prefix}_se": errors.amount_se, f"{prefix}_lower": lower, f"{prefix}_upper": upper}


def _dispersion(data: AggregateData, spec: ModelSpec, em: PointFit) -> float | None:
    """Variance of totals over their expectation: None for Poisson, 0 where it cannot be told."""
    if spec.likelihood.family == "poisson":
        return None
    seen = int(np.sum(data.expected_totals(em.rate) > 0))
    return pearson_dispersion(data, em) if seen > np.count_nonzero(em.rate) else 0.0
