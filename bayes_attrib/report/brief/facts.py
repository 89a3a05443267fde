"""What the summary knows of a run, computed once from its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.attribution.pairwise import Conclusion, Equivalence, Pairs, compare_pairs
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.information import LITTLE, information_fraction
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.identification import indistinguishable_entities
from bayes_attrib.report.language import Language
from bayes_attrib.report.numbers import AmountFormat, round_to_sum
from bayes_attrib.report.page.answer import leading_probabilities
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.reconciliation import METHODS, Reconciliation, reconcile
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.structure import Sharing, count_sharing

N_COMPARED: Final = 10
"""Entities with the largest amounts that are shown, and compared with each other."""

BASELINES: Final = ("proportional_amount", "em_amount")
"""Columns of the simple splits that the run holds beside the posterior."""

SURE: Final = 0.95
"""Probability with which one of a pair has to be ahead for the two to be told apart."""

EQUAL: Final = Equivalence()
"""What counts as practically equal, as for ``bayes-attrib compare``."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many pairs among the largest entities can be told apart by their amounts.

    Attributes
    ----------
    n_entities : int
        Entities that were compared with each other.
    told_apart, equal, unclear : int
        Pairs of which one has the larger amount with probability :data:`SURE`; that are practically
        equal with that probability; and all others.
    first_probability : float
        Probability that the largest mean belongs to the largest amount, among all entities.
    """

    n_entities: int
    told_apart: int
    equal: int
    unclear: int
    first_probability: float


@dataclass(frozen=True, eq=False)
class Facts:
    """What the summary knows.

    Attributes
    ----------
    run : RunFolder
        The run.
    amounts : AmountFormat
        How amounts are written.
    entities : DataFrame
        Rows of the entities that have exposures of their own, largest amount first; beside the
        columns of the run, ``amount_shown`` and ``share_shown``: rounded so that all rows add up.
    unattributed : Series or None
        Row of what no exposure explains, where the run has one.
    sums : Reconciliation
        Totals against what was attributed.
    sharing : Sharing
        How many aggregates are shared at all.
    moved : dict of str to float
        Amount that the posterior credits to other entities than a method does, by the method's
        column; without those that have no result.
    alike : list of tuple of str
        Sets of entities with proportional exposures.
    pairs : PairCounts or None
        None for a run that did not converge, or whose draws cannot be made again.
    n_little : int or None
        Entities of which the data say little; None where that is not known.
    """

    run: RunFolder
    amounts: AmountFormat
    entities: pd.DataFrame
    unattributed: pd.Series | None
    sums: Reconciliation
    sharing: Sharing
    moved: dict[str, float]
    alike: list[tuple[str, ...]]
    pairs: PairCounts | None
    n_little: int | None

    @property
    def usable(self) -> bool:
        """Whether amounts of the posterior may be shown."""
        return self.run.diagnostics.verdict != "not_converged"


def gather_facts(run: RunFolder, language: Language) -> Facts:
    """Compute what the summary says.

    Parameters
    ----------
    run : RunFolder
        The run; if it converged its draws are made again to compare entities.
    language : Language
        Language of the reader.

    Returns
    -------
    Facts
        Numbers; equal runs have equal facts.
    """
    columns = run.spec.columns
    cells = run.read_cells(
        [*columns.aggregate, columns.entity, names.EXPOSURE, *(column for _, column in METHODS)]
    )
    amounts = _amount_format(run, language)
    rows = run.entities.assign(
        amount_shown=round_to_sum(run.entities["amount_mean"], amounts.mean_decimals),
        share_shown=round_to_sum(100 * run.entities["share_mean"], amounts.share_decimals) / 100,
    )
    is_rest = (rows["name"] == names.UNATTRIBUTED) & (run.spec.unattributed is not None)
    usable = run.diagnostics.verdict != "not_converged"
    draws = _draws(run) if usable else None
    return Facts(
        run=run,
        amounts=amounts,
        entities=rows[~is_rest].reset_index(drop=True),
        unattributed=rows[is_rest].iloc[0] if is_rest.any() else None,
        sums=reconcile(run, cells, language=language),
        sharing=count_sharing(cells, columns.aggregate),
        moved={
            column: amount_moved(rows["amount_mean"], rows[column])
            for column in BASELINES
            if rows[column].notna().all() and run.manifest.data.grand_total > 0
        },
        alike=indistinguishable_entities(
            _exposures(run, cells) if draws is None else draws.source.data
        ),
        pairs=None if draws is None else count_pairs(run, draws),
        n_little=None if draws is None else _count_little(run, draws),
    )


def amount_moved(amounts: pd.Series, others: pd.Series) -> float:
    """Return how much of a total two splits credit differently: half the absolute differences."""
    return float((amounts - others).abs().sum() / 2)


def count_pairs(run: RunFolder, draws: PageDraws) -> PairCounts:
    """Count the pairs among the largest entities that the draws tell apart.

    Parameters
    ----------
    run : RunFolder
        The run.
    draws : PageDraws
        Joint draws of its amounts.

    Returns
    -------
    PairCounts
        Counts over all pairs of :data:`N_COMPARED` entities.
    """
    data = draws.data
    order = pd.Index(data.entity_names.astype(str)).get_indexer(pd.Index(run.entities["name"]))
    chosen = order[order < data.n_attributable][:N_COMPARED]
    pairs = compare_pairs(
        draws.amounts[chosen].astype(np.float64),
        np.arange(len(chosen)),
        equivalence=EQUAL,
        prob=SURE,
        interval=run.spec.report.interval,
    )
    first = leading_probabilities(draws.amounts[: data.n_attributable])[chosen[0]]
    return PairCounts(
        len(chosen),
        _count(pairs, Conclusion.GREATER) + _count(pairs, Conclusion.LESS),
        _count(pairs, Conclusion.EQUAL),
        _count(pairs, Conclusion.OPEN),
        float(first),
    )


def _count(pairs: Pairs, conclusion: Conclusion) -> int:
    return sum(found == conclusion for found in pairs.conclusion)


def _draws(run: RunFolder) -> PageDraws | None:
    """Make the draws again; None where the files of an older version do not allow it."""
    try:
        return PageDraws.load(run)
    except RunFolderError:
        return None


def _count_little(run: RunFolder, draws: PageDraws) -> int | None:
    """Count the entities whose rates are told by groups and prior; unknown for own models."""
    if run.manifest.model_variables:
        return None
    fraction: FloatArray = information_fraction(draws.source.fit, draws.data, run.spec)
    return int((fraction < LITTLE).sum())


def _exposures(run: RunFolder, cells: pd.DataFrame) -> AggregateData:
    """Put the exposures of the cells into a matrix; totals play no part in what is asked of it."""
    columns = run.spec.columns
    keys = cells[list(columns.aggregate)].astype("str")
    row = keys.groupby(list(columns.aggregate), sort=False).ngroup().to_numpy()
    codes, entities = pd.factorize(cells[columns.entity].astype(str))
    distinct = keys.drop_duplicates()
    exposed = cells[names.EXPOSURE].to_numpy(dtype=np.float64)
    shape = (len(distinct), len(entities))
    return AggregateData(
        aggregate_keys=distinct,
        totals=np.zeros(len(distinct)),
        entity_key=columns.entity,
        entity_names=np.asarray(entities, dtype=object),
        exposure=sp.csr_array((exposed, (row, codes)), shape=shape),
    )


def _amount_format(run: RunFolder, language: Language) -> AmountFormat:
    currency = run.spec.report.currency
    return AmountFormat.choose(
        run.entities["amount_mean"].to_numpy(dtype=np.float64),
        counts=run.spec.likelihood.counts,
        unit=currency or run.spec.columns.total,
        currency=currency is not None,
        language=language,
    )
