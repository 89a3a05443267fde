from __future__ import annotations

import math

import pandas as pd
import pytest

from bayes_attrib.report.accuracy import score_level

ROWS = pd.DataFrame(
    {
        "amount_mean": [60.0, 40.0],
        "amount_lower": [50.0, 45.0],
        "amount_upper": [70.0, 49.0],
        "em_amount": [100.0, 0.0],
        "proportional_amount": [50.0, 50.0],
        "truth_amount": [70.0, 30.0],
    }
)


def test_scores_by_hand() -> None:
    posterior, em, proportional = score_level(ROWS)
    assert (posterior.method, em.method, proportional.method) == (
        "posterior",
        "EM",
        "proportional",
    )
    assert posterior.total_variation == pytest.approx(0.1)
    assert em.total_variation == pytest.approx(0.3)
    assert proportional.total_variation == pytest.approx(0.2)
    assert (posterior.n_covered, posterior.n) == (1, 2)
    assert em.n_covered is None
    assert proportional.n_covered is None


@pytest.mark.parametrize("truth", [[70.0, None], [0.0, 0.0]])
def test_without_the_whole_truth_there_is_no_score(truth: list[float | None]) -> None:
    assert score_level(ROWS.assign(truth_amount=pd.Series(truth, dtype=float))) == ()
    assert score_level(ROWS.head(0)) == ()


def test_a_method_without_a_result_has_no_error() -> None:
    _, em, proportional = score_level(ROWS.assign(em_amount=math.nan))
    assert math.isnan(em.total_variation)
    assert proportional.total_variation == pytest.approx(0.2)
