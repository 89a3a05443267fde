"""Intervals as text, in the language of the page."""

from __future__ import annotations

import math

from bayes_attrib.report.language import MISSING, Language


def between(language: Language, lower: str, upper: str) -> str:
    """Return the two ends of an interval, already written, as one text."""
    return language.text("{lower} to {upper}", lower=lower, upper=upper)


def significant_interval(language: Language, lower: float, upper: float) -> str:
    """Return an interval with three significant digits; a dash where an end is not a number."""
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return MISSING
    return between(language, language.significant(lower), language.significant(upper))
