"""Lift tests in the constant data of a fit, and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData
from bayes_attrib.inputs.lift_test import LiftTest

_MEMBER: Final = "lift_member"
_TEXTS: Final = ("subject", "first", "last")
_NUMBERS: Final = ("increment", "standard_error", "ratio")


def lift_constants(data: AggregateData) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Return the tests of data as variables; none where there are no tests.

    Parameters
    ----------
    data : AggregateData
        The data that were fitted.

    Returns
    -------
    mapping of str to (dimensions, values)
        Over ``lift_test`` what each test says; over ``lift_member`` the positions of the cells
        that it covers.
    """
    tests = data.lift_tests
    if not tests:
        return {}
    found: dict[str, tuple[tuple[str, ...], Any]] = {
        names.LIFT_TEST: ((names.LIFT_TEST,), [test.name for test in tests])
    }
    for field in (*_TEXTS, *_NUMBERS):
        found[f"lift_{field}"] = ((names.LIFT_TEST,), [getattr(test, field) for test in tests])
    of_edge = np.repeat(np.arange(len(tests)), [len(test.edges) for test in tests])
    found["lift_member_test"] = ((_MEMBER,), of_edge)
    found["lift_member_cell"] = ((_MEMBER,), np.concatenate([test.edges for test in tests]))
    return found


def lift_tests_of(constants: xr.Dataset) -> tuple[LiftTest, ...]:
    """Read what :func:`lift_constants` wrote; cells are those of the run, in their order."""
    if names.LIFT_TEST not in constants:
        return ()
    names_of = constants[names.LIFT_TEST].to_numpy().astype(str)
    of_edge = constants["lift_member_test"].to_numpy()
    cells = constants["lift_member_cell"].to_numpy().astype(np.int64)
    texts = {field: constants[f"lift_{field}"].to_numpy().astype(str) for field in _TEXTS}
    numbers = {field: constants[f"lift_{field}"].to_numpy() for field in _NUMBERS}
    return tuple(
        LiftTest(
            name=str(name),
            subject=str(texts["subject"][t]),
            first=str(texts["first"][t]),
            last=str(texts["last"][t]),
            increment=float(numbers["increment"][t]),
            standard_error=float(numbers["standard_error"][t]),
            ratio=float(numbers["ratio"][t]),
            edges=cells[of_edge == t],
        )
        for t, name in enumerate(names_of)
    )
