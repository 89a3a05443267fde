"""Columns of the section ``[exposure]`` whose roles contradict those of other sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from bayes_attrib import names
from bayes_attrib.spec.closed import fault

if TYPE_CHECKING:
    from bayes_attrib.spec.schema import ModelSpec


def delivery_faults(spec: ModelSpec) -> Iterator[PydanticCustomError]:
    """Yield columns of delivery whose roles contradict each other.

    Parameters
    ----------
    spec : ModelSpec
        A spec whose sections are sound by themselves.

    Yields
    ------
    PydanticCustomError
        Faults with their remedies.
    """
    columns, section = spec.columns, spec.exposure
    if section is None:
        if columns.delivery is not None:
            yield fault(
                f"columns.delivery: {columns.delivery!r} is delivery, and nothing says how it "
                "becomes exposure",
                "add the section [exposure] with the transforms of its channels; or name the "
                "column as columns.exposure if it is exposure already",
            )
        return
    if columns.exposure != names.EXPOSURE:
        yield fault(
            f"columns.exposure: the section [exposure] makes exposures itself; got "
            f"{columns.exposure!r}",
            "name the column of delivery as columns.delivery, and remove columns.exposure",
        )
    yield from _keys(spec)
    if spec.rates.pair_covariates is not None:
        yield fault(
            "rates.pair_covariates: pairs that only carry over have no row, and so no covariates",
            "make exposures with bayes_attrib.build_exposures, add the covariates of every pair, "
            "and remove the section [exposure]; or remove rates.pair_covariates",
        )


def _keys(spec: ModelSpec) -> Iterator[PydanticCustomError]:
    section, columns = spec.exposure, spec.columns
    if section is None:
        return
    known = ", ".join(map(repr, columns.aggregate))
    for key, column in (("period", section.period), ("geo", section.geo)):
        if column is not None and column not in columns.aggregate:
            yield fault(
                f"exposure.{key}: {column!r} is no key column of the aggregates",
                f"name one of columns.aggregate, which holds {known}",
            )
    taken = {columns.total, columns.entity, columns.amount, names.EXPOSURE, spec.delivery_column}
    if section.channel in taken:
        yield fault(
            f"exposure.channel: {section.channel!r} has another role already",
            f"name a key of the aggregates ({known}), or a column of the entities table",
        )
