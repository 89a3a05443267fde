"""The section ``[rates]``: what the log rates, and the expected amounts, are made of."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from bayes_attrib import names
from bayes_attrib.spec.closed import Closed, ColumnList, ColumnName, fault
from bayes_attrib.spec.formula import FormulaText

Parameterisation = Literal["auto", "centered", "noncentered"]


class GeometrySpec(Closed):
    """Override of the parameterisation that would be chosen from the data's information."""

    entity: Parameterisation = "auto"
    groups: Parameterisation = "auto"


class DriftSpec(Closed):
    """Rates that change over time.

    Attributes
    ----------
    kind : {"random_walk", "hsgp"}
        Steps from period to period, or a smooth curve: a Gaussian process in its Hilbert-space
        approximation.
    period : str
        Key column of the aggregates that tells the time.
    by : str
        ``"entity"``, or the grouping column whose levels each drift on their own.
    """

    kind: Literal["random_walk", "hsgp"]
    period: ColumnName
    by: ColumnName = names.ENTITY


class RatesSpec(Closed):
    """Structure of the log rates.

    Attributes
    ----------
    pooling : tuple of str
        Crossed grouping columns of the entities.
    nested : tuple of str
        Nested grouping columns from the top down, such as channel, platform, format, campaign;
        the entities are the leaves.
    heteroscedastic : str or None
        Grouping column, one of the above, whose levels each have their own ``sigma_entity``.
    covariates : str or None
        Formula over columns of the entities table.
    pair_covariates : str or None
        Formula over columns of the exposures table; it scales the exposure of each pair.
    aggregate_effects : tuple of str
        Columns of the aggregates table, keys among them; each level multiplies the totals.
    drift : DriftSpec or None
        Rates that change over time.
    geometry : GeometrySpec
        Override of the parameterisation.
    """

    pooling: ColumnList = ()
    nested: ColumnList = ()
    heteroscedastic: ColumnName | None = None
    covariates: FormulaText | None = None
    pair_covariates: FormulaText | None = None
    aggregate_effects: ColumnList = ()
    drift: DriftSpec | None = None
    geometry: GeometrySpec = GeometrySpec()

    @property
    def groups(self) -> tuple[str, ...]:
        """All grouping columns of the entities: crossed ones, then nested ones from the top."""
        return (*self.pooling, *self.nested)

    @model_validator(mode="after")
    def _groups_are_usable(self) -> Self:
        used = (*self.groups, *self.aggregate_effects)
        for key in ("pooling", "nested", "aggregate_effects"):
            listed: tuple[str, ...] = getattr(self, key)
            twice = sorted({g for g in listed if listed.count(g) > 1})
            if twice:
                raise fault(f"{key} names a column twice: {', '.join(twice)}", "name it once")
        shared = sorted({g for g in used if used.count(g) > 1})
        if shared:
            raise fault(
                f"column {', '.join(map(repr, shared))} appears in more than one of pooling, "
                "nested and aggregate_effects",
                "name it in one of them; a second role needs a copy of the column, renamed",
            )
        reserved = sorted(set(used) & names.RESERVED_GROUPS)
        if reserved:
            raise fault(
                f"column {', '.join(map(repr, reserved))} collides with a name that the "
                "model needs itself",
                "rename the column in the spec and in its table",
            )
        return self

    @model_validator(mode="after")
    def _references_resolve(self) -> Self:
        wanted = {"heteroscedastic": self.heteroscedastic}
        if self.drift is not None and self.drift.by != names.ENTITY:
            wanted["drift.by"] = self.drift.by
        for key, group in wanted.items():
            if group is not None and group not in self.groups:
                known = ", ".join(map(repr, self.groups)) or "none yet"
                raise fault(
                    f"{key} names {group!r}, which is no grouping column of this model",
                    f"add {group!r} to pooling or nested; they hold: {known}",
                )
        return self


class UnattributedSpec(Closed):
    """An entity of its own for what no exposure explains.

    Attributes
    ----------
    exposure : str or None
        Column of the aggregates table with its exposure, such as a population; 1 in every
        aggregate where it is not given.
    """

    exposure: ColumnName | None = None
