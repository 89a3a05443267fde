"""The section ``[lift_tests]``: how measured increments are read and judged."""

from __future__ import annotations

from bayes_attrib.spec.closed import Closed, ColumnName


class LiftTestsSpec(Closed):
    """How the table of lift tests is read, and whether a fit without them is made beside.

    Attributes
    ----------
    period : str or None
        Key column of the aggregates by which windows are told; where it is None,
        ``report.period``, the period of a drift, or the key whose values tell the time.
    refit : bool
        Whether the model is fitted once more without the tests, where weights of the draws cannot
        say what it would have been.
    """

    period: ColumnName | None = None
    refit: bool = True
