"""A comparison as tables and as JSON, for other programs."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from bayes_attrib.attribution.pairwise import Pairs
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.report.comparison_run import ComparedGroup, RunComparison

SUFFIXES: Final = (".csv", ".json", ".parquet")

_PAIR_NUMBERS: Final = (
    "prob_greater",
    "prob_equal",
    *(f"difference_{what}" for what in ("mean", "lower", "upper")),
    *(f"ratio_{what}" for what in ("median", "lower", "upper")),
)


def tabulate_names(compared: RunComparison) -> pd.DataFrame:
    """Return one row per name: its mean, and where it may stand.

    Parameters
    ----------
    compared : RunComparison
        The comparison.

    Returns
    -------
    DataFrame, shape (n_names, n_columns)
        ``channel`` (empty if channels are not apart), ``level``, ``name``, ``on``, ``mean``,
        ``lower``, ``upper``, ``prob_best``, ``prob_top``, ``rank_mean``, ``rank_lower``,
        ``rank_upper``, ``expected_loss``, ``in_best_set``, ``top_k``, ``interval_kind``,
        ``interval_prob``.
    """
    rule = compared.rule
    table = pd.concat([_names_of(group) for group in compared.groups], ignore_index=True)
    table.insert(1, "level", compared.level)
    table.insert(3, "on", compared.on)
    return table.assign(
        top_k=rule.top_k, interval_kind=rule.interval.kind, interval_prob=rule.interval.prob
    )


def tabulate_pairs(compared: RunComparison) -> pd.DataFrame:
    """Return one row per pair: probabilities, difference, ratio, conclusion.

    Parameters
    ----------
    compared : RunComparison
        The comparison.

    Returns
    -------
    DataFrame, shape (n_pairs, n_columns)
        ``channel``, ``level``, ``first``, ``second``, ``on``, ``conclusion`` (of the first beside
        the second), ``prob_greater``, ``prob_equal``, ``difference_*``, ``ratio_*``, and the rule:
        ``conclusion_prob``, ``rope``, ``rope_scale``, ``interval_kind``, ``interval_prob``.
    """
    rule = compared.rule
    table = pd.concat([_pairs_of(group) for group in compared.groups], ignore_index=True)
    table.insert(1, "level", compared.level)
    table.insert(4, "on", compared.on)
    return table.assign(
        conclusion_prob=rule.prob,
        rope=rule.equivalence.width,
        rope_scale=rule.equivalence.scale,
        interval_kind=rule.interval.kind,
        interval_prob=rule.interval.prob,
    )


def as_dict(compared: RunComparison) -> dict[str, Any]:
    """Return everything as plain values, as ``--json`` and ``--out FILE.json`` give it.

    Parameters
    ----------
    compared : RunComparison
        The comparison.

    Returns
    -------
    dict
        Rule and groups; a number that is not defined is None.
    """
    rule = compared.rule
    return {
        "run": str(compared.run.path),
        "verdict": compared.run.diagnostics.verdict,
        "level": compared.level,
        "on": compared.on,
        "rule": {
            "prob": rule.prob,
            "rope": rule.equivalence.width,
            "rope_scale": rule.equivalence.scale,
            "top_k": rule.top_k,
            "interval_kind": rule.interval.kind,
            "interval_prob": rule.interval.prob,
        },
        "groups": [_group_dict(group) for group in compared.groups],
        "channels_left_out": list(compared.alone),
    }


def write_comparison(compared: RunComparison, path: Path) -> tuple[Path, ...]:
    """Write a comparison to files.

    Parameters
    ----------
    compared : RunComparison
        The comparison.
    path : Path
        With the suffix ``.json``, everything goes to this file; with ``.csv`` or ``.parquet``, the
        table of names, and that of pairs to :func:`pairs_file` beside it.

    Returns
    -------
    tuple of Path
        Files that were written.
    """
    if path.suffix == ".json":
        text = json.dumps(as_dict(compared), ensure_ascii=False, indent=2) + "\n"
        write_atomically(path, text.encode())
        return (path,)
    files = {path: tabulate_names(compared), pairs_file(path): tabulate_pairs(compared)}
    for file, table in files.items():
        write_atomically(file, _encoded(table, path.suffix))
    return tuple(files)


def pairs_file(path: Path) -> Path:
    """Return the file of pairs that goes with the file of names: ``x.csv``, ``x_pairs.csv``."""
    return path.with_name(f"{path.stem}_pairs{path.suffix}")


def _names_of(group: ComparedGroup) -> pd.DataFrame:
    found = group.comparison
    ranking, summary = found.ranking, found.summary
    return pd.DataFrame(
        {
            "channel": group.channel or "",
            "name": list(group.names),
            "mean": summary.mean,
            "lower": summary.lower,
            "upper": summary.upper,
            "prob_best": ranking.prob_best,
            "prob_top": ranking.prob_top,
            "rank_mean": ranking.expected,
            "rank_lower": ranking.lower,
            "rank_upper": ranking.upper,
            "expected_loss": found.expected_loss,
            "in_best_set": np.isin(np.arange(len(group.names)), found.best_set),
        }
    )


def _pairs_of(group: ComparedGroup) -> pd.DataFrame:
    pairs: Pairs = group.comparison.pairs
    columns: dict[str, Any] = {
        "channel": group.channel or "",
        "first": [group.names[row] for row in pairs.first],
        "second": [group.names[row] for row in pairs.second],
        "conclusion": [str(conclusion) for conclusion in pairs.conclusion],
    }
    return pd.DataFrame(columns | {name: getattr(pairs, name) for name in _PAIR_NUMBERS})


def _group_dict(group: ComparedGroup) -> dict[str, Any]:
    ranks = group.rank_probability
    return {
        "channel": group.channel,
        "n_available": group.n_available,
        "names": _records(_names_of(group).drop(columns="channel")),
        "best_set": group.best_names,
        "rank_probability": [
            {"name": name, "probability": probability}
            for name, probability in zip(ranks.index, ranks.to_numpy().tolist(), strict=True)
        ],
        "pairs": _records(_pairs_of(group).drop(columns="channel")),
        "expected_errors": group.comparison.pairs.expected_errors,
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values; JSON has no NaN."""
    return [
        {
            str(key): None if isinstance(value, float) and math.isnan(value) else value
            for key, value in record.items()
        }
        for record in table.to_dict(orient="records")
    ]


def _encoded(table: pd.DataFrame, suffix: str) -> bytes:
    if suffix == ".csv":
        return table.to_csv(index=False, lineterminator="\n").encode()
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
