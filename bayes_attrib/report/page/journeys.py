"""Heuristics of journeys beside the posterior: shares of the same entities, of the same totals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.errors import RunFolderError
from bayes_attrib.report.language import Language, message
from bayes_attrib.report.run_folder import RunFolder

_METHODS: Final = {
    "first": message("first touch"),
    "last": message("last touch"),
    "linear": message("linear"),
    "time_decay": message("time decay"),
    "position": message("position-based"),
    "shapley": message("Shapley"),
    "shapley_rate": message("Shapley of rates"),
}
_TEXTS: Final = ("method", "outcome", "level", "name")
_NUMBERS: Final = ("amount", "share")
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class HeuristicShare:
    """Share that a heuristic gives, and whether the posterior's interval holds it."""

    text: str
    outside: bool


@dataclass(frozen=True, slots=True)
class JourneyRow:
    """One entity: its name, its share in the posterior, and by each heuristic.

    ``posterior`` and ``interval`` are None for a touchpoint that the run does not know.
    """

    name: str
    posterior: str | None
    interval: str | None
    heuristics: tuple[HeuristicShare, ...]


@dataclass(frozen=True, slots=True)
class JourneySection:
    """Heuristics beside the posterior.

    Attributes
    ----------
    methods : tuple of str
        Heuristics, in the language of the reader.
    rows : tuple of JourneyRow
        Entities of the run, largest first; then touchpoints that the run does not know.
    n_outside, n_compared : int
        Shares outside the posterior's interval, and how many were compared.
    """

    methods: tuple[str, ...]
    rows: tuple[JourneyRow, ...]
    n_outside: int
    n_compared: int


def read_journey_credit(file: Path, run: RunFolder) -> pd.DataFrame:
    """Read credit by heuristics, of the outcome whose sum is the grand total of a run.

    Parameters
    ----------
    file : Path
        ``journeys.csv``, as ``bayes-attrib journeys`` wrote it.
    run : RunFolder
        The run that it is to stand beside.

    Returns
    -------
    DataFrame, shape (n_names, n_methods)
        Shares of the whole, by name of the touchpoint.

    Raises
    ------
    RunFolderError
        If the file is none of that kind, splits another total, or knows none of the entities.
    """
    table = _read(file)
    rows = table[table["level"] == names.ENTITY]
    total = run.manifest.data.grand_total
    sums = rows.groupby(["method", "outcome"], sort=False)["amount"].sum()
    sums = sums.groupby("outcome", sort=False).first()
    same = sums.index[(sums - total).abs() <= _TOLERANCE * abs(total)]
    if not len(same):
        found = ", ".join(f"{value:,.12g} in {outcome}" for outcome, value in sums.items())
        raise RunFolderError(
            f"{file} splits {found}, and the run {total:,.12g}: they answer about different "
            "totals; fit the spec and the tables that `bayes-attrib journeys` wrote to its folder "
            "data"
        )
    shares = rows[rows["outcome"] == same[0]].pivot_table("share", "name", "method", sort=False)
    known = set(run.entities["name"]) - {names.UNATTRIBUTED}
    if not known & set(shares.index):
        raise RunFolderError(
            f"{file} is about {', '.join(map(repr, shares.index[:3]))}, and the run about "
            f"{', '.join(map(repr, list(run.entities['name'][:3])))}: no name is common to both; "
            "journeys need the touchpoints that the run has as entities"
        )
    return shares


def _read(file: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(file, keep_default_na=False, dtype=str)
        amounts = {column: table[column].astype(np.float64) for column in _NUMBERS}
        return table[[*_TEXTS]].assign(**amounts)
    except (OSError, ValueError, KeyError) as error:
        reason = f"there is no column {error}" if isinstance(error, KeyError) else str(error)
        raise RunFolderError(
            f"{file} is not a table that `bayes-attrib journeys` wrote: {reason}; run that again"
        ) from error


def lay_out_journeys(run: RunFolder, language: Language) -> JourneySection | None:
    """Lay out heuristics beside the posterior.

    Parameters
    ----------
    run : RunFolder
        The run.
    language : Language
        Language of the reader.

    Returns
    -------
    JourneySection or None
        None where no credit by heuristics stands in the run's folder.
    """
    file = run.path / names.JOURNEYS_FILE
    if not file.is_file():
        return None
    shares = read_journey_credit(file, run)
    fitted = run.entities.set_index("name")
    rows = [
        _row(name, shares, fitted, language)
        for name in (*(n for n in fitted.index if n in shares.index), *_unknown(shares, fitted))
    ]
    compared = [row for row in rows if row.posterior is not None]
    return JourneySection(
        tuple(_word(str(method), language) for method in shares.columns),
        tuple(rows),
        sum(share.outside for row in compared for share in row.heuristics),
        len(compared) * len(shares.columns),
    )


def _unknown(shares: pd.DataFrame, fitted: pd.DataFrame) -> list[str]:
    return [name for name in shares.index if name not in fitted.index]


def _row(name: str, shares: pd.DataFrame, fitted: pd.DataFrame, language: Language) -> JourneyRow:
    found = shares.loc[[name]].to_numpy()[0].tolist()
    if name not in fitted.index:
        texts = tuple(HeuristicShare(language.percent(share), outside=False) for share in found)
        return JourneyRow(name, None, None, texts)
    bounds = fitted.loc[[name], ["share_mean", "share_lower", "share_upper"]]
    mean, lower, upper = bounds.to_numpy()[0].tolist()
    texts = tuple(
        HeuristicShare(language.percent(share), outside=not lower <= share <= upper)
        for share in found
    )
    interval = f"{language.percent(lower)} – {language.percent(upper)}"
    return JourneyRow(name, language.percent(mean), interval, texts)


def _word(method: str, language: Language) -> str:
    if method in _METHODS:
        return language.text(_METHODS[method])
    order = method.removeprefix("markov_")
    return language.text("Markov chain of order {order}", order=order)
