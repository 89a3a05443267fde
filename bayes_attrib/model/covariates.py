"""The designs of a spec: which tables its formulas read, and which rows count."""

from __future__ import annotations

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.design import Design, build_design
from bayes_attrib.spec import ModelSpec
from bayes_attrib.spec.formula import parse_formula


def entity_design(data: AggregateData, spec: ModelSpec) -> Design | None:
    """Return the standardised covariates of the attributable entities, where the spec has any.

    Raises
    ------
    DataError
        If the columns do not fit the formula.
    """
    if spec.rates.covariates is None:
        return None
    if data.entity_covariates is None:
        raise ValueError("rates.covariates needs data.entity_covariates")
    rows = data.entity_covariates.set_axis(data.entity_names[: data.n_attributable])
    return build_design(parse_formula(spec.rates.covariates), rows)


def pair_design(data: AggregateData, spec: ModelSpec) -> Design | None:
    """Return the standardised covariates of the attributable edges, where the spec has any.

    Raises
    ------
    DataError
        If the columns do not fit the formula.
    """
    if spec.rates.pair_covariates is None:
        return None
    if data.pair_covariates is None:
        raise ValueError("rates.pair_covariates needs data.pair_covariates")
    chosen = data.edge_entity < data.n_attributable
    pairs = zip(
        data.aggregate_labels[data.edge_aggregate[chosen]],
        data.entity_names[data.edge_entity[chosen]],
        strict=True,
    )
    rows = data.pair_covariates[chosen].set_axis(
        [names.PATH_SEPARATOR.join(pair) for pair in pairs]
    )
    return build_design(parse_formula(spec.rates.pair_covariates), rows)


def zero_design(data: AggregateData, spec: ModelSpec) -> Design | None:
    """Return the standardised covariates of the exposed aggregates that zeros depend on, if any.

    Raises
    ------
    DataError
        If the columns do not fit the formula.
    """
    if spec.likelihood.zero_covariates is None:
        return None
    if data.aggregate_covariates is None:
        raise ValueError("likelihood.zero_covariates needs data.aggregate_covariates")
    exposed = data.is_exposed
    rows = data.aggregate_covariates[exposed].set_axis(data.aggregate_labels[exposed])
    return build_design(parse_formula(spec.likelihood.zero_covariates), rows)
