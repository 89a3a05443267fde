"""Methods of inference by the names that specs give them; a new one is a new line here."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inference.explicit import METHOD as NUTS_WITHIN_GIBBS
from bayes_attrib.workflow.methods.base import CheckedDraws, FitJob, Method
from bayes_attrib.workflow.methods.laplace import Laplace
from bayes_attrib.workflow.methods.refits import Refits
from bayes_attrib.workflow.methods.sampling import Nuts
from bayes_attrib.workflow.methods.variational import Advi, Pathfinder

_NUTS = Nuts()

REFITS: Final[Method] = Refits()
"""Sampling given each of some draws of the totals; a spec asks for it under ``[totals]``."""

AUTO: Final = "auto"
"""In a spec: the method is chosen by the time that it takes."""

METHODS: MappingProxyType[str, Method] = MappingProxyType(
    {method.name: method for method in (_NUTS, Laplace(), Advi(), Pathfinder())}
)

_MADE_BY = METHODS | {NUTS_WITHIN_GIBBS: _NUTS, REFITS.name: REFITS}


def method_of(fit: PosteriorFit) -> Method:
    """Return the method that made draws."""
    return _MADE_BY[fit.method]


__all__ = ["AUTO", "METHODS", "REFITS", "CheckedDraws", "FitJob", "Method", "method_of"]
