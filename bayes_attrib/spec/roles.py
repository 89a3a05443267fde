"""Columns whose roles contradict each other: outcomes explain nothing, numbers name nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from bayes_attrib.spec.closed import fault
from bayes_attrib.spec.delivery_roles import delivery_faults
from bayes_attrib.spec.formula import parse_formula

if TYPE_CHECKING:
    from bayes_attrib.spec.schema import ModelSpec


def role_faults(spec: ModelSpec) -> Iterator[PydanticCustomError]:
    """Yield the columns of a spec whose roles contradict each other.

    Parameters
    ----------
    spec : ModelSpec
        A spec whose sections are sound by themselves.

    Yields
    ------
    PydanticCustomError
        Faults with their remedies.
    """
    yield from delivery_faults(spec)
    yield from _entity_as_group(spec)
    yield from _unattributed_exposure(spec)
    yield from _aggregate_effects(spec)
    yield from _outcomes_in_formulas(spec)
    yield from _numbers_as_names(spec)


def _entity_as_group(spec: ModelSpec) -> Iterator[PydanticCustomError]:
    entity = spec.columns.entity
    for key, groups in (("pooling", spec.rates.pooling), ("nested", spec.rates.nested)):
        if entity in groups:
            yield fault(
                f"rates.{key}: {entity!r} is the entity itself, not a group of entities",
                f"remove it from rates.{key}; entities have effects of their own in every model",
            )


def _unattributed_exposure(spec: ModelSpec) -> Iterator[PydanticCustomError]:
    exposure = spec.unattributed.exposure if spec.unattributed is not None else None
    if exposure is not None and exposure in (spec.columns.total, *spec.columns.aggregate):
        yield fault(
            f"unattributed.exposure: {exposure!r} is {_role_of(spec, exposure)} already",
            "name a column of numbers in the aggregates table, such as a population, or remove "
            "the key for an exposure of 1 in every aggregate",
        )


def _aggregate_effects(spec: ModelSpec) -> Iterator[PydanticCustomError]:
    exposure = spec.unattributed.exposure if spec.unattributed is not None else None
    for column in spec.rates.aggregate_effects:
        if column in (spec.columns.total, exposure):
            role = _role_of(spec, column)
            yield fault(
                f"rates.aggregate_effects: {column!r} is {role}, not a group of aggregates",
                "name columns whose values are names, such as a region or a week",
            )


def _outcomes_in_formulas(spec: ModelSpec) -> Iterator[PydanticCustomError]:
    for key, text, outcome in (
        ("likelihood.zero_covariates", spec.likelihood.zero_covariates, spec.columns.total),
        ("rates.pair_covariates", spec.rates.pair_covariates, spec.columns.amount),
    ):
        if text is not None and outcome in parse_formula(text).columns:
            yield fault(
                f"{key}: {outcome!r} is {_role_of(spec, outcome)}, which is to be explained",
                f"take {outcome!r} out of the formula",
            )


def _numbers_as_names(spec: ModelSpec) -> Iterator[PydanticCustomError]:
    unattributed = spec.unattributed.exposure if spec.unattributed is not None else None
    for key, text, number in (
        ("likelihood.zero_covariates", spec.likelihood.zero_covariates, unattributed),
        ("rates.pair_covariates", spec.rates.pair_covariates, spec.columns.exposure),
    ):
        if text is not None and number in parse_formula(text).categorical:
            yield fault(
                f"{key}: C({number}) takes {_role_of(spec, str(number))} for names of categories",
                f"write {number} without C(), or make a column of its own with the categories",
            )


def _role_of(spec: ModelSpec, column: str) -> str:
    columns = spec.columns
    roles = {
        columns.total: "the total",
        columns.amount: "the known amount",
        columns.exposure: "the exposure",
        **dict.fromkeys(columns.aggregate, "a key of the aggregates"),
    }
    return roles.get(column, "the exposure of what no entity explains")
