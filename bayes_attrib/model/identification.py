"""What the data can tell apart, and what only the prior does."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import scipy.sparse as sp

from bayes_attrib.inputs import AggregateData

_RELATIVE_PRECISION = 10


def indistinguishable_entities(data: AggregateData) -> list[tuple[str, ...]]:
    """Find entities whose exposures are proportional to each other's in every aggregate.

    Whatever the family, the likelihood then depends on a weighted sum of their rates only, so
    nothing but groups and prior tells them apart, unless a lift test covers some of their cells
    otherwise than others'. Entities alone in their aggregates are not found: their totals are their
    own.

    Parameters
    ----------
    data : AggregateData
        Exposures and lift tests.

    Returns
    -------
    list of tuple of str
        Sets of at least two entities, in the order of their first member.
    """
    columns = sp.csc_array(data.exposure)
    largest = columns.max(axis=0).toarray().ravel()
    relative = np.round(columns.data / largest[_column_of(columns)], _RELATIVE_PRECISION)
    tested = sp.csc_array(_tests_of_cells(data))
    found: dict[tuple[bytes, bytes, bytes], list[str]] = defaultdict(list)
    for e, name in enumerate(data.entity_names):
        span = slice(columns.indptr[e], columns.indptr[e + 1])
        if span.stop > span.start:
            tests = slice(tested.indptr[e], tested.indptr[e + 1])
            covered = tested.indices[tests].tobytes()
            key = columns.indices[span].tobytes(), relative[span].tobytes(), covered
            found[key].append(str(name))
    return [tuple(names) for names in found.values() if len(names) > 1]


def _tests_of_cells(data: AggregateData) -> sp.coo_array:
    """Which tests cover which aggregates of each entity: 0/1, (n_tests * n_aggregates, n_entities).

    A test of every exposure of its aggregates tells nothing apart, and is left out.
    """
    rows, columns = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    sizes = np.diff(data.exposure.indptr)
    for t, test in enumerate(data.lift_tests):
        aggregate = data.edge_aggregate[test.edges]
        covered = np.bincount(aggregate, minlength=data.n_aggregates)
        partial = covered[aggregate] < sizes[aggregate]
        rows.append(t * data.n_aggregates + aggregate[partial])
        columns.append(data.edge_entity[test.edges[partial]].astype(np.int64))
    place = np.concatenate(rows), np.concatenate(columns)
    shape = (max(1, len(data.lift_tests)) * data.n_aggregates, data.n_entities)
    return sp.coo_array((np.ones(len(place[0])), place), shape=shape)


def _column_of(columns: sp.csc_array) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))
