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
    nothing but groups and prior tells them apart. Entities alone in their aggregates are not found:
    their totals are their own.

    Parameters
    ----------
    data : AggregateData
        Exposures.

    Returns
    -------
    list of tuple of str
        Sets of at least two entities, in the order of their first member.
    """
    columns = sp.csc_array(data.exposure)
    largest = columns.max(axis=0).toarray().ravel()
    relative = np.round(columns.data / largest[_column_of(columns)], _RELATIVE_PRECISION)
    found: dict[tuple[bytes, bytes], list[str]] = defaultdict(list)
    for e, name in enumerate(data.entity_names):
        span = slice(columns.indptr[e], columns.indptr[e + 1])
        if span.stop > span.start:
            found[columns.indices[span].tobytes(), relative[span].tobytes()].append(str(name))
    return [tuple(names) for names in found.values() if len(names) > 1]


def _column_of(columns: sp.csc_array) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))
