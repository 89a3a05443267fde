from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bayes_attrib import baselines
from bayes_attrib.baselines import PointFit, fit_em, fit_proportional


def test_a_point_fit_offers_no_interval():
    words = ("interval", "hdi", "sd", "lower", "upper", "quantile")
    assert not [name for name in dir(PointFit) if any(word in name for word in words)]


@pytest.mark.parametrize("fit_method", [fit_em, fit_proportional])
def test_it_is_frozen_down_to_its_arrays(two_bricks, fit_method):
    fit = fit_method(two_bricks)
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.iterations = 3
    for name in ("rate", "amount", "entity_amount", "log_likelihood"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(fit, name)[0] = 1.0


def test_it_does_not_alias_the_arrays_it_was_made_from(two_bricks):
    rate = np.ones(4)
    fit = dataclasses.replace(fit_proportional(two_bricks), rate=rate)
    rate[0] = 7.0
    assert fit.rate[0] == 1.0
    assert rate.flags.writeable


def test_names_that_need_libraries_are_there_when_asked_for():
    assert {name for name in baselines.__all__ if getattr(baselines, name) is None} == set()
    with pytest.raises(AttributeError, match="no attribute 'fit_gam'"):
        baselines.fit_gam  # noqa: B018
