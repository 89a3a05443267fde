"""R-hat and effective sample sizes equal ArviZ's, quantity by quantity."""

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from bayes_attrib.inference import mixing

AXES = {"chain_axis": 1, "draw_axis": 2}
TAILS = (0.05, 0.95)


def series(n_quantities, n_chains, n_draws, seed):
    """Autoregressive chains of all kinds: antithetic, sticky, shifted, with ties."""
    rng = np.random.default_rng(seed)
    memory = rng.uniform(-0.9, 0.99, size=(n_quantities, 1))
    draws = np.empty((n_quantities, n_chains, n_draws))
    state = rng.normal(size=(n_quantities, n_chains))
    for i in range(n_draws):
        state = memory * state + rng.normal(size=state.shape)
        draws[:, :, i] = state
    draws[::5] += rng.normal(size=(len(draws[::5]), n_chains, 1))
    draws[1::5] = np.round(draws[1::5])
    return draws


@pytest.mark.parametrize("n_chains", [1, 2, 4])
@pytest.mark.parametrize("n_draws", [4, 5, 6, 7, 8, 51, 400])
def test_equal_to_arviz(n_chains, n_draws):
    draws = series(30, n_chains, n_draws, seed=n_draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = (
            array_stats.ess(draws, method="bulk", **AXES),
            array_stats.ess(draws, method="tail", prob=TAILS, **AXES),
        )
        rhat = array_stats.rhat(draws, **AXES) if n_chains > 1 else np.full(30, np.nan)
    found = (mixing.ess_bulk(draws), mixing.ess_tail(draws, TAILS))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_allclose(mixing.rhat(draws), rhat, rtol=1e-10)


def test_blocks_make_no_difference(monkeypatch):
    draws = series(23, 2, 60, seed=1)
    whole = mixing.ess_bulk(draws), mixing.rhat(draws)
    monkeypatch.setattr(mixing, "_BLOCK_ELEMENTS", 500)
    np.testing.assert_array_equal((mixing.ess_bulk(draws), mixing.rhat(draws)), whole)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_draws_that_are_no_numbers_have_no_diagnostics_and_spoil_no_others(broken):
    draws = series(3, 2, 40, seed=2)
    alone = mixing.ess_bulk(draws)
    draws[1, 0, 7] = broken
    found = [mixing.rhat(draws), mixing.ess_bulk(draws), mixing.ess_tail(draws, TAILS)]
    assert np.isnan(found)[:, 1].all()
    assert np.isfinite(found)[:, [0, 2]].all()
    np.testing.assert_array_equal(found[1][[0, 2]], alone[[0, 2]])


def test_constant_draws_count_in_full_and_stuck_chains_are_seen():
    constant = np.ones((1, 2, 50))
    assert mixing.ess_bulk(constant)[0] == 100
    stuck = np.broadcast_to(np.array([0.0, 1.0])[np.newaxis, :, np.newaxis], (1, 2, 50))
    assert mixing.rhat(stuck)[0] == np.inf


def test_too_few_draws_have_no_diagnostics():
    assert np.isnan(mixing.ess_bulk(np.zeros((2, 2, 3)))).all()


def test_energy_fractions_equal_arviz():
    energy = series(1, 3, 80, seed=3)[0]
    np.testing.assert_allclose(
        mixing.energy_fractions(energy), array_stats.bfmi(energy), rtol=1e-12
    )
    assert np.isnan(mixing.energy_fractions(np.ones((1, 9)))).all()
