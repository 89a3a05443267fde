"""The pass that fits several families to the same data and says which one the data support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.inference import Check, Diagnostics, ProgressListener, total_draws
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.inference.loo import LooResult, psis_loo
from bayes_attrib.inference.model_choice import Contender, bootstrap_weights, decide
from bayes_attrib.inputs import TablesRead
from bayes_attrib.model.families import require_law
from bayes_attrib.report.choice import FamilyChoice, FamilyScore
from bayes_attrib.spec import LikelihoodSpec, ModelSpec
from bayes_attrib.workflow.candidates import (
    candidate_spec,
    complete_candidates,
    default_candidates,
)
from bayes_attrib.workflow.fit import Fitted, fit_tables
from bayes_attrib.workflow.write import write_json

MOST_LOO_DRAWS = 4000
"""So many draws, evenly chosen, are enough for importance sampling."""

_WEIGHT_STREAM = 3

_DENSITY_AND_MASS = (
    "families of counts give each total a mass, families of money a density: they compare because "
    "totals are large whole numbers, and a density is next to constant over one unit"
)


@dataclass(frozen=True, eq=False)
class CandidateFit:
    """What is kept of the fit of one candidate.

    Attributes
    ----------
    likelihood : LikelihoodSpec
        The candidate.
    loo : LooResult
        How well it foretells each total.
    diagnostics : Diagnostics
        Checks of the sampler and of the predictions.
    shares : DataFrame
        ``share_mean``, ``share_lower`` and ``share_upper`` of each entity, indexed by name.
    """

    likelihood: LikelihoodSpec
    loo: LooResult
    diagnostics: Diagnostics
    shares: pd.DataFrame

    @property
    def dispersion(self) -> Check:
        """Posterior predictive check of the spread of the totals."""
        return next(c for c in self.diagnostics.checks if c.name == "dispersion_p_value")

    @property
    def sampler(self) -> Diagnostics:
        """Checks of the sampler alone."""
        return Diagnostics(tuple(c for c in self.diagnostics.checks if "_p_value" not in c.name))


def choose_family(
    tables: TablesRead,
    spec: ModelSpec,
    candidates: Sequence[LikelihoodSpec] | None = None,
    *,
    progress: ProgressListener | None = None,
) -> FamilyChoice:
    """Fit candidate families to the same data and choose among them.

    All else of the spec stays as it is, but for priors of noise parameters that a candidate lacks.
    Amounts are integrated out, also where the spec samples them: the law of the totals is the same.

    Parameters
    ----------
    tables : TablesRead
        Checked data.
    spec : ModelSpec
        The model; its own family takes part wherever the totals allow it.
    candidates : sequence of LikelihoodSpec, optional
        Families to choose among; by default those that suit the kind of the totals.
    progress : ProgressListener, optional
        Told about the draws of each fit as they are made.

    Returns
    -------
    FamilyChoice
        The candidates with their figures, and the outcome of the rule.

    Raises
    ------
    SpecError
        If a total is impossible under a candidate, there are fewer than two, or totals are given
        and have no law.
    FitError
        If the sampler fails.
    """
    for likelihood in (spec.likelihood, *(candidates or ())):
        require_law(likelihood, "families cannot be compared")
    once = spec.lift_tests.model_copy(update={"refit": False})
    spec = spec.model_copy(update={"lift_tests": once})  # tests are judged in the fit that is kept
    wanted = default_candidates(spec, tables.data) if candidates is None else candidates
    chosen = complete_candidates(wanted, spec, tables.data)
    fits: list[CandidateFit] = []
    notes: list[str] = []
    for likelihood in chosen:
        changed, note = candidate_spec(spec, likelihood)
        fits.append(_judge(tables, changed, fit_tables(tables, changed, progress=progress)))
        notes += [] if note is None else [note]
    if len({likelihood.counts for likelihood in chosen}) > 1:
        notes.append(_DENSITY_AND_MASS)
    rng = np.random.default_rng([spec.inference.seed, _WEIGHT_STREAM])
    return weigh_candidates(fits, spec, rng=rng, notes=notes)


def _judge(tables: TablesRead, spec: ModelSpec, fitted: Fitted) -> CandidateFit:
    draws = total_draws(fitted.posterior, tables.data, spec, most=MOST_LOO_DRAWS)
    table = fitted.result.table
    entities = table[table["level"] == names.ENTITY].set_index("name")
    shares = entities[["share_mean", "share_lower", "share_upper"]]
    return CandidateFit(spec.likelihood, psis_loo(draws), fitted.diagnostics, shares)


def weigh_candidates(
    fits: Sequence[CandidateFit],
    spec: ModelSpec,
    *,
    rng: np.random.Generator,
    notes: Sequence[str] = (),
) -> FamilyChoice:
    """Choose among candidates that have been fitted.

    Parameters
    ----------
    fits : sequence of CandidateFit
        Fits to the same data.
    spec : ModelSpec
        The model, with its own family.
    rng : numpy.random.Generator
        Source of the bootstrap of weights.
    notes : sequence of str
        Passed through to the reader.

    Returns
    -------
    FamilyChoice
        The outcome.
    """
    own = spec.likelihood.model_copy(update={"amounts": "marginal"})
    decision = decide([_contender(fit) for fit in fits])
    able = [i for i, fit in enumerate(fits) if fit.sampler.verdict != "not_converged"]
    weights = np.zeros(len(fits))
    if able:
        weights[able] = bootstrap_weights([fits[i].loo for i in able], rng)
    reference = fits[decision.best if decision.preferred is None else decision.preferred].shares
    scores = tuple(
        FamilyScore(
            likelihood=fit.likelihood,
            loo=fit.loo,
            weight=float(weight),
            dispersion=fit.dispersion,
            verdict=fit.sampler.verdict,
            share_distance=_distance(fit.shares, reference),
            width_ratio=_width(fit.shares) / _width(reference),
        )
        for fit, weight in zip(fits, weights, strict=True)
    )
    return FamilyChoice(own, scores, decision, tuple(notes))


def _contender(fit: CandidateFit) -> Contender:
    p_value = fit.dispersion.value
    return Contender(
        loo=fit.loo,
        n_parameters=len(fit.likelihood.parameters),
        dispersion_p_value=np.nan if p_value is None else p_value,
        converged=fit.sampler.verdict != "not_converged",
    )


def _distance(shares: pd.DataFrame, reference: pd.DataFrame) -> float:
    """Total variation distance of mean shares."""
    gaps = shares["share_mean"] - reference["share_mean"].reindex(shares.index)
    return 0.5 * float(gaps.abs().sum())


def _width(shares: pd.DataFrame) -> float:
    return float((shares["share_upper"] - shares["share_lower"]).mean())


def write_choice(choice: FamilyChoice, path: Path) -> None:
    """Write the outcome to a file: all of it as ``.json``, or the table of candidates as ``.csv``.

    Parameters
    ----------
    choice : FamilyChoice
        The outcome.
    path : Path
        The file; its suffix says which.
    """
    if path.suffix == ".csv":
        text = choice.table.to_csv(index=False, lineterminator="\n")
        write_atomically(path, text.encode())
    else:
        write_json(path, choice.as_dict())
