"""Columns of names as positions in lists: composed, and without white space around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib.inputs.keys import compose, strip
from bayes_attrib.journeys.events import CodeArray


@dataclass(frozen=True, eq=False)
class LabelColumn:
    """A column of names.

    Attributes
    ----------
    codes : ndarray of int32, shape (n_rows,)
        Position of each row's name.
    names : Index of str
        Distinct names, in the order of their first rows.
    """

    codes: CodeArray
    names: pd.Index


def read_labels(text: pd.Series) -> LabelColumn:
    """Number the names of a column.

    Parameters
    ----------
    text : Series of str, shape (n_rows,)
        Names as stored.

    Returns
    -------
    LabelColumn
        Spellings that differ in Unicode form or in white space around them are one name.
    """
    codes, spellings = pd.factorize(text)
    plain = strip(compose(pd.Series(spellings, dtype="str")))
    of_spelling, names = pd.factorize(plain)
    if len(names) == len(spellings):
        return LabelColumn(codes.astype(np.int32), pd.Index(names))
    return LabelColumn(of_spelling.astype(np.int32)[codes], pd.Index(names))


def unite(first: LabelColumn, second: LabelColumn) -> tuple[CodeArray, CodeArray, pd.Index]:
    """Give the names of two columns common positions.

    Parameters
    ----------
    first, second : LabelColumn
        Columns of two tables.

    Returns
    -------
    codes, other_codes : ndarray of int32
        Positions of the rows of each.
    names : Index of str
        Names of both; those of the first keep their positions.
    """
    found = first.names.get_indexer(second.names)
    new = found < 0
    found[new] = len(first.names) + np.arange(int(new.sum()))
    return (
        first.codes,
        found.astype(np.int32)[second.codes],
        first.names.append(second.names[new]),
    )
