from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.baselines import fit_proportional


def test_totals_are_split_in_proportion_to_exposure(data_of):
    data = data_of([[1, 3, 0], [0, 2, 2]], [100, 60])
    fit = fit_proportional(data)
    np.testing.assert_allclose(fit.amount, [25, 75, 30, 30])
    np.testing.assert_allclose(fit.entity_amount, [25, 105, 30])
    np.testing.assert_allclose(fit.entity_share, [25 / 160, 105 / 160, 30 / 160])
    np.testing.assert_allclose(fit.rate, 160 / 8)
    assert fit.log_likelihood == pytest.approx(stats.poisson.logpmf([100, 60], 80).sum())
    assert (fit.method, fit.stopped, fit.converged) == ("proportional", "closed-form", True)
    assert fit.iterations == 0
    assert fit.certificate is None


def test_an_entity_without_exposure_gets_nothing_but_the_common_rate(data_of):
    fit = fit_proportional(data_of([[1, 0]], [5]))
    np.testing.assert_allclose(fit.entity_amount, [5, 0])
    np.testing.assert_allclose(fit.rate, [5, 5])


@pytest.mark.parametrize("exposure", [[[1.0, 2.0]], [[0.0, 0.0]]])
def test_nothing_earned(data_of, exposure):
    fit = fit_proportional(data_of(exposure, [0]))
    np.testing.assert_array_equal(fit.rate, [0, 0])
    np.testing.assert_array_equal(fit.entity_amount, [0, 0])
    assert np.isnan(fit.entity_share).all()


@pytest.mark.parametrize(("channel", "rmse"), [("Search", 35.43), ("Social", 71.50)])
def test_textbook_example(channels, channel, rmse):
    data = channels[channel]
    error = fit_proportional(data).amount - data.truth
    assert np.sqrt(np.mean(error**2)) == pytest.approx(rmse, abs=0.005)
