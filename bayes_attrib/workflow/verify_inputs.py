"""Whether the cells of a run are those that its input tables give."""

from __future__ import annotations

import numpy as np

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.verification import Outcome
from bayes_attrib.report.verification.differences import compare_columns
from bayes_attrib.report.verification.outcome import identity


def check_tables_read(draws: RunDraws, data: AggregateData) -> list[Outcome]:
    """Compare keys, exposures and totals of a run with those of its input tables.

    Parameters
    ----------
    draws : RunDraws
        The run, with the data that it keeps.
    data : AggregateData
        The tables, read again with the repairs of the run.

    Returns
    -------
    list of Outcome
        Keys of all cells, then exposures, totals, and the truth where it is known.
    """
    kept = draws.data
    cells, read = _keys(kept), _keys(data)
    wrong = ""
    if len(cells) != len(read):
        wrong = f"{len(cells):,} cells in the run, and {len(read):,} in the tables"
    elif cells != read:
        row = next(i for i, (a, b) in enumerate(zip(cells, read, strict=True)) if a != b)
        wrong = f"cell {row + 1} is {cells[row]} in the run, and {read[row]} in the tables"
    file, again = names.CELLS_FILE, "in the input tables"
    found = [identity("input_keys", file, wrong, "keys of all cells against the input tables")]
    if wrong:
        return found
    columns = {"exposure": (kept.exposure.data, data.exposure.data)}
    if kept.truth is not None and data.truth is not None:
        columns[names.TRUTH_AMOUNT] = (kept.truth, data.truth)
    found += [
        compare_columns(
            f"input_{name}", file, lambda row: f"the cell {cells[row]}", {name: pair}, again=again
        )
        for name, pair in columns.items()
    ]
    exposed = np.flatnonzero(data.is_exposed)
    totals = data.totals[exposed]
    keys = data.aggregate_keys.iloc[exposed]
    found.append(
        compare_columns(
            "input_totals",
            names.POSTERIOR_FILE,
            lambda row: f"the aggregate {tuple(keys.iloc[row])}",
            {names.TOTAL: (kept.totals, totals)},
            again=again,
        )
    )
    if kept.lift_tests or data.lift_tests:
        found.append(_check_lift_tests(kept, data))
    return found


def _check_lift_tests(kept: AggregateData, data: AggregateData) -> Outcome:
    """Compare what every lift test says, and the cells that it covers."""
    in_run, read = (
        {
            test.name: (
                *(test.subject, test.first, test.last),
                *(test.increment, test.standard_error, test.ratio),
                test.edges.tobytes(),
            )
            for test in one.lift_tests
        }
        for one in (kept, data)
    )
    wrong = [
        f"the test {name!r} differs"
        for name in {**in_run, **read}
        if in_run.get(name) != read.get(name)
    ]
    what = "lift tests and their cells against the input tables"
    return identity("input_lift_tests", names.POSTERIOR_FILE, "; ".join(wrong), what)


def _keys(data: AggregateData) -> list[tuple[str, ...]]:
    aggregates = data.aggregate_keys.astype(str).to_numpy()[data.edge_aggregate]
    entities = np.asarray(data.entity_names, dtype=object)[data.edge_entity]
    return [(*map(str, row), str(e)) for row, e in zip(aggregates, entities, strict=True)]
