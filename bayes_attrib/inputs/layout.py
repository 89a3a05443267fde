"""The columns that a spec asks of each table, and what each of them is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bayes_attrib import names
from bayes_attrib.spec import ModelSpec
from bayes_attrib.spec.formula import parse_formula


@dataclass(frozen=True)
class Layout:
    """The columns of a table that the spec speaks of.

    Attributes
    ----------
    keys : tuple of str
        Columns that identify a row.
    labels : tuple of str
        Grouping columns.
    numbers : tuple of str
        Columns of numbers that have to be there.
    optional_numbers : tuple of str
        Columns of numbers that may be there.
    covariates : tuple of str
        Columns that a formula reads; keys, labels and numbers may be among them.
    categories : tuple of str
        Those covariates that hold names: the formula says so, or the table itself does.
    computed : tuple of str
        Those covariates that the formula computes with, so that they must hold numbers.
    formula_key : str
        Where the spec holds the formula, such as ``"rates.covariates"``.
    spec_keys : mapping of str to str
        Where the spec names each column, such as ``"columns.total"``.
    """

    keys: tuple[str, ...]
    labels: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    optional_numbers: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    formula_key: str = ""
    spec_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> tuple[str, ...]:
        """Columns that are read as text."""
        return _distinct(self.keys + self.labels + self.categories)

    @property
    def measured(self) -> tuple[str, ...]:
        """Columns of numbers that the model reads itself, whether they have to be there or not."""
        return self.numbers + self.optional_numbers

    @property
    def number_covariates(self) -> tuple[str, ...]:
        """Covariates that hold numbers."""
        return tuple(column for column in self.covariates if column not in self.categories)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Columns that describe a row beyond its key: groups and covariates."""
        return _distinct(self.labels + self.covariates)

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which the table cannot be used."""
        return _distinct(self.keys + self.labels + self.numbers + self.covariates)


def layouts_of(spec: ModelSpec) -> Mapping[str, Layout]:
    """Return the layout of every table that a spec can use, by the table's stem."""
    columns, rates = spec.columns, spec.rates
    aggregate = dict.fromkeys(columns.aggregate, "columns.aggregate")
    entity = {columns.entity: "columns.entity"}
    totals = {columns.total: "columns.total"}
    if spec.unattributed is not None and spec.unattributed.exposure is not None:
        totals[spec.unattributed.exposure] = "unattributed.exposure"
    exposure, channel = {columns.exposure: "columns.exposure"}, {}
    if spec.exposure is not None:
        exposure = {spec.delivery_column: "columns.delivery"}
        if spec.exposure.channel not in columns.aggregate:
            channel = {spec.exposure.channel: "exposure.channel"}
    return {
        names.AGGREGATES_TABLE: _layout(
            aggregate,
            labels=dict.fromkeys(rates.aggregate_effects, "rates.aggregate_effects"),
            numbers=totals,
            formula=spec.likelihood.zero_covariates,
            formula_key="likelihood.zero_covariates",
        ),
        names.EXPOSURES_TABLE: _layout(
            aggregate | entity,
            numbers=exposure,
            optional_numbers={columns.amount: "columns.amount"},
            formula=rates.pair_covariates,
            formula_key="rates.pair_covariates",
        ),
        names.ENTITIES_TABLE: _layout(
            entity,
            labels=dict.fromkeys(rates.pooling, "rates.pooling")
            | dict.fromkeys(rates.nested, "rates.nested")
            | channel,
            formula=rates.covariates,
            formula_key="rates.covariates",
        ),
    }


def _layout(
    keys: Mapping[str, str],
    *,
    labels: Mapping[str, str] | None = None,
    numbers: Mapping[str, str] | None = None,
    optional_numbers: Mapping[str, str] | None = None,
    formula: str | None,
    formula_key: str,
) -> Layout:
    """Lay out a table from its columns by role, each with the place where the spec names it."""
    labels, numbers, optional = labels or {}, numbers or {}, optional_numbers or {}
    parsed = parse_formula(formula) if formula is not None else None
    from_formula = dict.fromkeys(parsed.columns if parsed else (), formula_key)
    return Layout(
        keys=tuple(keys),
        labels=tuple(labels),
        numbers=tuple(numbers),
        optional_numbers=tuple(optional),
        covariates=tuple(from_formula),
        categories=parsed.categorical if parsed else (),
        computed=parsed.numeric if parsed else (),
        formula_key=formula_key,
        spec_keys={**from_formula, **labels, **keys, **numbers, **optional},
    )


def _distinct(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(columns))
