"""The section ``[totals]``: what is done about totals that are estimates themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bayes_attrib.spec.closed import Closed

TotalUncertainty = Literal["plugin", "paired", "cut"]


class TotalsSpec(Closed):
    """Treatment of the uncertainty of the totals.

    Attributes
    ----------
    uncertainty : {"plugin", "paired", "cut"}
        ``"plugin"`` takes the totals as known. ``"paired"`` infers rates from the totals, and
        splits a draw of all totals with each posterior draw. ``"cut"`` infers rates anew from each
        of some draws of all totals, which is the modular posterior.
    draws : int
        Draws of the totals that ``"cut"`` infers rates from.
    """

    uncertainty: TotalUncertainty = "plugin"
    draws: Annotated[int, Field(ge=10, le=1000)] = 50
