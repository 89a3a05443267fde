"""The words of :mod:`bayes_attrib.citing`, under the name that modules of this package know."""

from __future__ import annotations

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, nearest, places, quote

__all__ = ["MAX_EXAMPLES", "counted", "listed", "nearest", "places", "quote"]
