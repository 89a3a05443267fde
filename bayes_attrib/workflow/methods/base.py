"""What the pass asks of a method of inference."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pymc as pm

from bayes_attrib.errors import Finding
from bayes_attrib.inference import ChainStore, Check, PosteriorFit, ProgressListener
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model import Geometry
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class FitJob:
    """What a method makes draws from.

    Attributes
    ----------
    data : AggregateData
        Totals and exposures.
    spec : ModelSpec
        The model, and the settings of the method.
    model : pymc.Model, Geometry or None
        A model of the user's own, or the parameterisation of the spec's; chosen from the data where
        it is None.
    store : ChainStore, optional
        Where completed chains are kept.
    progress : ProgressListener, optional
        Told about the draws as they are made.
    """

    data: AggregateData
    spec: ModelSpec
    model: pm.Model | Geometry | None = None
    store: ChainStore | None = None
    progress: ProgressListener | None = None


@dataclass(frozen=True, eq=False)
class CheckedDraws:
    """Draws, and the quantities of them that checks look at.

    Attributes
    ----------
    fit : PosteriorFit
        The draws.
    parameters : list of str
        Variables above the entities.
    entities : ndarray of int, shape (n_chosen,)
        Positions of the entities that are looked at.
    shares : ndarray, shape (n_chosen, n_draws)
        Their shares of the expected grand total.
    """

    fit: PosteriorFit
    parameters: list[str]
    entities: npt.NDArray[np.integer[Any]]
    shares: FloatArray


class Method(ABC):
    """One way from data and spec to draws, with what it refuses and how it is judged.

    Attributes
    ----------
    name : str
        Its name in a spec.
    settings : frozenset of str
        Settings under ``[inference]`` that change its draws, beside the seed.
    is_approximate : bool
        Whether its draws come from something else than the posterior, however long it runs.
    """

    name: ClassVar[str]
    settings: ClassVar[frozenset[str]]
    is_approximate: ClassVar[bool]

    @abstractmethod
    def require(self, spec: ModelSpec, *, is_own: bool) -> None:
        """Refuse what the method cannot do, before anything is written.

        Raises
        ------
        SpecError
            If the method does not serve the spec's model.
        FitError
            If it does not serve a model of the user's own.
        """

    @abstractmethod
    def sample(self, job: FitJob) -> PosteriorFit:
        """Make the draws."""

    @abstractmethod
    def checks(self, drawn: CheckedDraws) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
        """Judge draws; the same draws give the same values."""
