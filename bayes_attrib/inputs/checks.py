"""All checks of typed tables, in the order in which a reader would mend what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from bayes_attrib.errors import Finding
from bayes_attrib.inputs import (
    cell_checks,
    covariate_checks,
    group_checks,
    key_checks,
    lift_checks,
    model_checks,
    notes,
    number_checks,
    period_checks,
    total_draws,
    truth_checks,
    unattributed_checks,
)
from bayes_attrib.inputs.table import Tables
from bayes_attrib.inputs.unavailable import UnavailableError

CHECKS: Final[tuple[Callable[[Tables], Iterator[Finding]], ...]] = (
    cell_checks.check_blank_keys,
    number_checks.check_number_cells,
    cell_checks.check_negative_exposures,
    cell_checks.check_negative_amounts,
    cell_checks.check_negative_totals,
    cell_checks.check_counts,
    key_checks.check_unicode_twins,
    key_checks.check_whitespace_twins,
    key_checks.check_duplicate_keys,
    key_checks.check_unknown_aggregates,
    key_checks.check_unknown_entities,
    cell_checks.check_blank_labels,
    covariate_checks.check_entity_covariates,
    covariate_checks.check_pair_covariates,
    covariate_checks.check_aggregate_covariates,
    unattributed_checks.check_reserved_names,
    group_checks.check_crossed_groups,
    group_checks.check_nested_groups,
    group_checks.check_aggregate_groups,
    period_checks.check_periods,
    lift_checks.check_lift_names,
    lift_checks.check_lift_subjects,
    lift_checks.check_lift_windows,
    lift_checks.check_lift_numbers,
    lift_checks.check_lift_repeats,
    model_checks.check_anything_to_attribute,
    model_checks.check_any_exposure,
    unattributed_checks.check_any_unattributed_exposure,
    model_checks.check_unexplained_totals,
    model_checks.check_zero_totals,
    truth_checks.check_amounts_sum_to_totals,
    truth_checks.check_amounts_have_exposure,
    truth_checks.check_amounts_are_there,
    notes.note_total_sd,
    total_draws.note_treatment,
    notes.note_zero_exposures,
    notes.note_idle_entities,
    notes.note_unused_entities,
    notes.note_empty_aggregates,
)


def check_tables(tables: Tables) -> Iterator[Finding]:
    """Yield everything that a reader should know about the tables.

    A check that needs what could not be read is skipped: the cause has been reported, and the
    check can only be made once it is mended.

    Parameters
    ----------
    tables : Tables
        Typed tables, after repairs.

    Yields
    ------
    Finding
        Errors, warnings and notes.
    """
    for check in CHECKS:
        with suppress(UnavailableError):
            yield from check(tables)
