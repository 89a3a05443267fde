"""The failure that all assertions raise."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class ModelAssertionError(AssertionError):
    """A model or a fit does not do what a test says it does.

    Parameters
    ----------
    claim : str
        What was found, beside what was wanted.
    details : iterable of str
        Figures that help to see why.
    remedy : str
        What to change.
    measured : mapping of str to float
        The figures by name, for programs.
    """

    def __init__(
        self, claim: str, details: tuple[str, ...], remedy: str, measured: Mapping[str, float]
    ) -> None:
        self.claim = claim
        self.details = details
        self.remedy = remedy
        self.measured = MappingProxyType(dict(measured))
        super().__init__(
            "\n".join([claim, *(f"  {line}" for line in details), f"  remedy: {remedy}"])
        )
