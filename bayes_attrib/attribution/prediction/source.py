"""What predictions are made from."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inference.constant_data import FittedData
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class Source:
    """A finished fit.

    Attributes
    ----------
    fit : PosteriorFit
        Draws of the model of the spec.
    spec : ModelSpec
        The model.
    data : FittedData
        Entities, groups, covariates and reference rate of the data that were fitted.
    """

    fit: PosteriorFit
    spec: ModelSpec
    data: FittedData
