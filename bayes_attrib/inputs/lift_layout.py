"""The columns of the table of lift tests: its own, and those of the user's that it may fill in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bayes_attrib import names
from bayes_attrib.citing import listed, nearest, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.layout import Layout
from bayes_attrib.inputs.table_file import TableFile
from bayes_attrib.spec import ModelSpec

OWN_COLUMNS: Final = (
    names.LIFT_TEST_NAME,
    names.FIRST_PERIOD,
    names.LAST_PERIOD,
    names.INCREMENT,
    names.STANDARD_ERROR,
    names.INCREMENT_RATIO,
    names.NOTE,
)
_REQUIRED: Final = (names.LIFT_TEST_NAME, names.INCREMENT, names.STANDARD_ERROR)


def subject_columns(spec: ModelSpec) -> tuple[str, ...]:
    """Return the columns that may say what was switched off: entity, its groups, and keys."""
    columns = (spec.columns.entity, *spec.rates.groups, *spec.columns.aggregate)
    return tuple(dict.fromkeys(columns))


def lift_layout(spec: ModelSpec, columns: Collection[str]) -> Layout:
    """Return the layout of a table of lift tests that has these columns.

    Parameters
    ----------
    spec : ModelSpec
        Names of the user's columns.
    columns : collection of str
        Columns of the file.
    """
    text = (*subject_columns(spec), names.FIRST_PERIOD, names.LAST_PERIOD)
    ratio = names.INCREMENT_RATIO
    return Layout(
        keys=(names.LIFT_TEST_NAME,),
        labels=tuple(column for column in text if column in columns),
        numbers=(names.INCREMENT, names.STANDARD_ERROR),
        optional_numbers=(ratio,) if ratio in columns else (),
    )


def column_findings(spec: ModelSpec, file: TableFile) -> list[Finding]:
    """Return what is wrong with the columns of a table of lift tests.

    A column that is not known is an error: what a misspelt one should have restricted would be
    switched off as a whole.

    Parameters
    ----------
    spec : ModelSpec
        Names of the user's columns.
    file : TableFile
        The table.
    """
    subjects = subject_columns(spec)
    known = (*OWN_COLUMNS, *subjects)
    taken: list[str] = [column for column in OWN_COLUMNS if column in subjects]
    if taken:
        return [_taken(file, taken)]
    missing = [column for column in _REQUIRED if column not in file.columns]
    unknown = [column for column in dict.fromkeys(file.columns) if column not in known]
    return [
        *(_missing(file, column, nearest(column, unknown)) for column in missing),
        *(_unknown(file, column, nearest(column, known), subjects) for column in unknown),
    ]


def _taken(file: TableFile, taken: list[str]) -> Finding:
    message = (
        f"the spec gives {listed([quote(column) for column in taken])} another meaning: it is "
        "entity, group or key of the aggregates, and a column of its own in a table of lift tests"
    )
    remedy = "rename that column in your tables and in the spec, or leave the lift tests out"
    return Finding("lift-test-column-taken", "error", file.name, message, remedy)


def _missing(file: TableFile, column: str, near: str | None) -> Finding:
    has = listed([quote(name) for name in file.columns])
    message = f"there is no column {quote(column)}; the columns are {has}"
    remedy = f"rename {quote(near)} if it is meant, or add the column" if near else "add the column"
    return Finding("missing-column", "error", file.name, message, remedy)


def _unknown(file: TableFile, column: str, near: str | None, subjects: tuple[str, ...]) -> Finding:
    message = (
        f"{quote(column)} is no column of a lift test, so what it says would not restrict what was "
        "switched off"
    )
    hint = f"did you mean {quote(near)}? " if near else ""
    remedy = (
        f"{hint}the columns that say what was switched off are "
        f"{listed([quote(subject) for subject in subjects], len(subjects))}; for another group add "
        f"it to rates.pooling in the spec; for remarks use {quote(names.NOTE)}"
    )
    return Finding("lift-test-column", "error", file.name, message, remedy)
