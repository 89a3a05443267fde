"""Names of several parts as one text, such as ``"TV / spring / banner"``."""

from __future__ import annotations

from collections.abc import Sequence

from bayes_attrib import names


def join_parts(rows: Sequence[Sequence[str]]) -> list[str]:
    """Join the parts of each name so that different names stay different.

    Parts are joined by ' / '. Where a part holds that separator itself and two names would fall
    together, all names are joined from their parts in quotes.

    Parameters
    ----------
    rows : sequence of sequences of str, shape (n_names, n_parts)
        The parts of each name; no two rows are equal.

    Returns
    -------
    list of str
        One unique text per row.
    """
    joined = [names.PATH_SEPARATOR.join(row) for row in rows]
    if len(set(joined)) < len(joined):
        joined = [names.PATH_SEPARATOR.join(map(repr, row)) for row in rows]
    return joined
