"""Method auto: what stands in the way of a preview or of sampling, and the deadline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from bayes_attrib import names
from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.inference import PosteriorFit, ProgressListener, Silent
from bayes_attrib.inference.nuts import processors
from bayes_attrib.inputs import AggregateData
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.methods import METHODS
from bayes_attrib.workflow.methods.sampling import sampler_settings

SECONDS_PER_EDGE: Final = 12e-9
SECONDS_PER_ENTITY: Final = 25e-9
"""One gradient of the log density; on a quicker machine it takes less, so this is no bound."""

FEWEST_STEPS: Final = 7
"""Gradients per draw where the posterior is easy; it may take a hundred times as many."""

SURE_AFTER: Final = 0.2
"""Fraction of the draws after which their pace tells how long the rest will take."""


class OutOfTimeError(Exception):
    """Sampling was stopped, or would take longer than the budget; the message says which."""


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """Why a run used its method, where its spec says ``"auto"``.

    Attributes
    ----------
    method : str
        The method whose draws the run holds.
    budget : float
        Seconds that sampling was allowed to take.
    reason : str
        What decided.
    """

    method: str
    budget: float
    reason: str

    @property
    def finding(self) -> Finding:
        """The choice in words."""
        is_short = self.method != "nuts"
        remedy = "for a sampled answer, give --method nuts or a larger --time-budget"
        return Finding(
            "method-chosen",
            "note",
            "inference.method",
            f"method 'auto' chose {self.method!r}: {self.reason}",
            remedy if is_short else "",
        )


def obstacle_to_preview(spec: ModelSpec, *, is_own: bool) -> str | None:
    """Return why Laplace's method cannot preview a model, or None if it can."""
    if is_own:
        return "Laplace's method does not know models of the user's own"
    if spec.total_uncertainty == "cut":
        return "rates are inferred anew from each draw of the totals, which is done by sampling"
    try:
        METHODS["laplace"].require(spec, is_own=False)
    except SpecError as refused:
        return "; ".join(f"{f.where}: {f.message}" for f in refused.findings)
    return None


def obstacle_to_sampling(data: AggregateData, spec: ModelSpec) -> str | None:
    """Return why sampling need not be tried within the budget, or None if it should.

    Parameters
    ----------
    data : AggregateData
        Gives the sizes.
    spec : ModelSpec
        Gives draws, chains and budget.

    Returns
    -------
    str or None
        A reason where even an easy posterior of this size would take longer than the budget.
    """
    settings, budget = sampler_settings(spec), spec.inference.time_budget
    gradient = SECONDS_PER_EDGE * data.n_edges + SECONDS_PER_ENTITY * data.n_entities
    gradients = settings.chains * (settings.draws + settings.tune) * FEWEST_STEPS
    at_least = gradient * gradients / min(settings.chains, processors())
    if at_least <= budget:
        return None
    return (
        f"sampling would take {at_least:,.0f} s or more for {data.n_edges:,} exposures and "
        f"{data.n_entities:,} entities, and the time budget is {budget:,g} s"
    )


class Deadline:
    """Listens to sampling and stops it when it has taken, or will surely take, too long.

    The clock starts with the object, so that compiling counts.

    Parameters
    ----------
    budget : float
        Seconds.
    listener : ProgressListener, optional
        Told everything as well.
    """

    def __init__(self, budget: float, listener: ProgressListener | None = None) -> None:
        self._budget = budget
        self._listener = listener or Silent()
        self._begun = self._sampling = time.monotonic()
        self._total = 1

    def started(self, total: int) -> None:
        """Note how many draws there will be."""
        self._total, self._sampling = total, time.monotonic()
        self._listener.started(total)

    def advanced(self, done: int, divergences: int) -> None:
        """Pass the progress on.

        Raises
        ------
        OutOfTimeError
            If the budget is spent, or the pace so far leaves no hope.
        """
        self._listener.advanced(done, divergences)
        now, fraction = time.monotonic(), done / self._total
        if fraction >= 1:
            return
        if now - self._begun > self._budget:
            raise OutOfTimeError(
                f"sampling was stopped at the time budget of {self._budget:,g} s, with "
                f"{fraction:.0%} of the draws made"
            )
        if fraction >= SURE_AFTER:
            needed = self._sampling - self._begun + (now - self._sampling) / fraction
            if needed > 2 * self._budget:
                raise OutOfTimeError(
                    f"at the pace of its first {fraction:.0%}, sampling would have taken about "
                    f"{needed:,.0f} s, and the time budget is {self._budget:,g} s"
                )

    def finished(self) -> None:
        """Pass the end on."""
        self._listener.finished()

    def told(self, message: str) -> None:
        """Pass words on."""
        self._listener.told(message)


def compare_preview(preview: PosteriorFit, sampled: PosteriorFit) -> Finding:
    """Say how far a preview was from the sampled answer.

    Parameters
    ----------
    preview, sampled : PosteriorFit
        Draws of the same model for the same data.

    Returns
    -------
    Finding
        A note with the root mean square of differences of mean log rates, in posterior sds, and
        the median ratio of sds.
    """
    near, exact = (np.log(fit.draws(names.RATE)) for fit in (preview, sampled))
    sd = exact.std(axis=1)
    gap = (near.mean(axis=1) - exact.mean(axis=1)) / sd
    return Finding(
        "preview-compared",
        "note",
        "inference.method",
        "the preview by Laplace's method was off by "
        f"{np.sqrt(np.mean(gap**2)):.2f} posterior sds in log rates (root mean square), with sds "
        f"{np.median(near.std(axis=1) / sd):.2f} times those of sampling (median)",
    )
