from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.baselines import poisson_log_likelihood


def test_whole_totals_agree_with_scipy():
    totals = np.array([0.0, 0.0, 1.0, 7.0, 4000.0])
    expected = np.array([0.0, 0.3, 2.5, 7.0, 3500.0])
    wanted = stats.poisson.logpmf(totals, expected).sum()
    assert poisson_log_likelihood(totals, expected) == pytest.approx(wanted, rel=1e-13)


def test_money_lies_between_its_whole_neighbours():
    mu = np.array([9.5])
    at = [poisson_log_likelihood(np.array([y]), mu) for y in (3.0, 3.25, 4.0)]
    assert at[0] < at[1] < at[2]


def test_a_total_that_cannot_happen():
    assert poisson_log_likelihood(np.array([1.0]), np.array([0.0])) == -np.inf
