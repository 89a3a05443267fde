"""Assertion that a prior treats alike what the data treat alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from bayes_attrib.inference import PriorDraws
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.testing.failure import ModelAssertionError


def assert_symmetric_prior(
    prior: PriorDraws, entities: Sequence[str], *, false_alarm: float = 1e-3
) -> None:
    """Assert that the prior shares of entities that data treat alike are exchangeable.

    If two shares are exchangeable, the sign of the difference of their logarithms is a fair coin
    whatever its size and their sum. Two exact sign-flip tests follow, one that sees a shift and one
    that sees unequal spread (Pitman and Morgan's correlation of difference and sum, in ranks). They
    are made for every pair of neighbours in ``entities`` and judged by Bonferroni's rule.

    Parameters
    ----------
    prior : PriorDraws
        From :func:`bayes_attrib.sample_prior`.
    entities : sequence of str
        Names of at least two entities with the same exposures, groups and covariates.
    false_alarm : float
        Probability, over seeds, that a prior which is symmetric fails; for one seed the outcome is
        always the same.

    Raises
    ------
    ModelAssertionError
        If shares are not exchangeable.
    ValueError
        If the data do not treat these entities alike, or do not know them.
    """
    __tracebackhide__ = True
    chosen = _positions(prior.data, entities)
    _require_alike(prior.data, chosen)
    with np.errstate(divide="ignore"):
        logs = np.log(prior.shares[chosen])
    p_values = {
        (first, second, what): p
        for first, second in pairwise(range(len(chosen)))
        for what, p in _sign_flip_tests(logs[first], logs[second]).items()
    }
    first, second, what = worst = min(p_values, key=lambda key: p_values[key])
    p_value = min(1.0, len(p_values) * p_values[worst])
    if p_value >= false_alarm:
        return
    means = prior.shares[chosen].mean(axis=1)
    spreads = logs.std(axis=1, ddof=1)
    raise ModelAssertionError(
        f"the prior shares of {entities[first]} and {entities[second]} differ in {what}, though "
        f"the data treat them alike (p = {p_value:.1g}, false-alarm rate {false_alarm:g})",
        tuple(
            f"{entities[i]}: mean share {means[i]:.2%}, sd of its logarithm {spreads[i]:.2f}"
            for i in (first, second)
        ),
        "give all entities the same prior: look for a term of the model that singles one of them "
        "out, such as a prior by position or a covariate of its own",
        {"p_value": p_value},
    )


def _sign_flip_tests(first: FloatArray, second: FloatArray) -> dict[str, float]:
    """P-values of exchangeability of paired samples, by what they are sensitive to."""
    difference, total = first - second, first + second
    return {
        "level": _signed_rank(difference),
        "spread": _signed_rank(difference * (total - np.median(total))),
    }


def _signed_rank(values: FloatArray) -> float:
    """Wilcoxon's signed-rank test; shares that never differ are as alike as can be."""
    moved = values[values != 0]
    return 1.0 if len(moved) == 0 else float(stats.wilcoxon(moved).pvalue)


def _positions(data: AggregateData, entities: Sequence[str]) -> IntArray:
    if isinstance(entities, str) or len(set(entities)) < 2 or len(set(entities)) < len(entities):
        raise ValueError(f"give two or more different names of entities; got {entities!r}")
    position = {str(name): i for i, name in enumerate(data.entity_names)}
    unknown = [name for name in entities if name not in position]
    if unknown:
        raise ValueError(f"the data have no entity {', '.join(map(repr, unknown))}")
    return np.array([position[name] for name in entities], dtype=np.int64)


def _require_alike(data: AggregateData, chosen: IntArray) -> None:
    """Refuse entities that a symmetric prior would not give the same shares."""
    head = chosen[0]
    for other in chosen[1:]:
        reasons = [
            f"their {name} differs ({grouping.levels[grouping.codes[head]]} and "
            f"{grouping.levels[grouping.codes[other]]})"
            for name, grouping in data.groupings.items()
            if grouping.codes[head] != grouping.codes[other]
        ]
        reasons += [
            f"their {what} differ"
            for what, first, second in zip(
                ("exposures", "covariates", "covariates of pairs"),
                _seen(data, head),
                _seen(data, other),
                strict=True,
            )
            if not first.equals(second)
        ]
        if reasons:
            raise ValueError(
                f"{data.entity_names[head]} and {data.entity_names[other]} are not treated alike "
                f"by the data: {'; '.join(reasons)}; choose entities that are, or build such a "
                "data set for the test"
            )


def _seen(data: AggregateData, entity: int) -> tuple[pd.DataFrame, ...]:
    """Return what the data say of an entity beside its groups, as tables that can be compared."""
    edges = np.flatnonzero(data.edge_entity == entity)
    exposures = pd.DataFrame(
        {"aggregate": data.edge_aggregate[edges], "exposure": data.exposure.data[edges]}
    )
    own, pairs = data.entity_covariates, data.pair_covariates
    nothing = pd.DataFrame()
    return (
        exposures,
        # The unattributed entity has no row of covariates, so it is like no other.
        nothing if own is None else own.iloc[entity : entity + 1].reset_index(drop=True),
        nothing if pairs is None else pairs.iloc[edges].reset_index(drop=True),
    )
