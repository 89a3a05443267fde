"""Keys of simulated units: text of one width, so that they sort in their own order."""

from __future__ import annotations

import pandas as pd


def numbered(prefix: str, count: int, *, width: int = 1) -> pd.Index[str]:
    """Return the keys ``prefix1`` to ``prefix<count>``, padded with zeros to one width.

    Parameters
    ----------
    prefix : str
        What the unit is, such as ``"B"``.
    count : int
        How many keys.
    width : int
        Least number of digits.

    Returns
    -------
    Index of str, shape (count,)
        Unique keys in ascending order.
    """
    digits = max(width, len(str(count)))
    return pd.Index([f"{prefix}{i:0{digits}d}" for i in range(1, count + 1)], dtype="str")
