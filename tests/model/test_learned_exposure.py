"""The graph of learned transforms, and its twin in NumPy that tables are made from."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest

from bayes_attrib.exposure import (
    BinomialAdstock,
    ChannelTransform,
    DelayedAdstock,
    GeometricAdstock,
    HillSaturation,
    LogisticSaturation,
    MichaelisMentenSaturation,
    RootSaturation,
    TanhSaturation,
    WeibullCdfAdstock,
    WeibullPdfAdstock,
)
from bayes_attrib.exposure.curve_math import NUMPY
from bayes_attrib.exposure.lag_delivery import CellDelivery, lag_delivery
from bayes_attrib.exposure.lagged import Curve
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.learned_exposure import TransformTerm, transform_term
from bayes_attrib.spec import parse_spec

N_LAGS = 5

ADSTOCKS = (
    (GeometricAdstock(0.6, N_LAGS), {"decay": 0.45}),
    (GeometricAdstock(0.6, N_LAGS, normalise=False), {"decay": 0.45}),
    (BinomialAdstock(0.4, N_LAGS), {"decay": 0.55}),
    (DelayedAdstock(0.7, 1.4, N_LAGS), {"decay": 0.6, "peak": 1.7}),
    (WeibullPdfAdstock(2.3, 1.6, N_LAGS), {"scale": 2.0, "shape": 1.9}),
    (WeibullCdfAdstock(2.3, 1.6, N_LAGS), {"scale": 2.0, "shape": 1.9}),
)
SATURATIONS = (
    (HillSaturation(0.8, 1.7), {"half_saturation": 1.1, "slope": 1.3}),
    (LogisticSaturation(1.3), {"steepness": 1.7}),
    (TanhSaturation(1.4, 0.6), {"ceiling": 1.1}),
    (TanhSaturation(1.4, 0.6), {"cost": 0.8}),
    (MichaelisMentenSaturation(0.9, 2.0), {"half_saturation": 1.2}),
    (RootSaturation(0.4), {"exponent": 0.55}),
)


def cases():
    """Every adstock with one saturation, and every saturation with one adstock."""
    for adstock in ADSTOCKS:
        yield adstock, SATURATIONS[0]
    for saturation in SATURATIONS[1:]:
        yield ADSTOCKS[0], saturation


def made_up_term(transform, values, *, own):
    """Return a term of three entities over eight periods in two cells, and unknown values."""
    rng = np.random.default_rng(3)
    cell, entity, period = np.nonzero(rng.random((2, 3, 8)) < 0.5)
    rows = CellDelivery(cell, entity, period, rng.gamma(2.0, 0.5, len(cell)))
    lagged = lag_delivery(rows, n_lags=N_LAGS, n_history=0, n_periods=8)
    curve = Curve(transform, tuple((name, at) for at, name in enumerate(values)), own)
    before = {**vars(transform.adstock), **vars(transform.saturation)}
    start = np.array([before[name] for name in values])
    fixed = np.exp(curve.log_exposures(lagged.delivery, start, NUMPY, n_lags=N_LAGS))
    return TransformTerm("transform", fixed, (curve,), (lagged.delivery,)), start


@pytest.fixture(scope="module")
def quick_mode():
    """Graphs are evaluated without compilation of C or machine code: values are what matters."""
    return pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")


@pytest.mark.parametrize("own", [True, False], ids=["own_curve", "channel_curve"])
@pytest.mark.parametrize("first", [True, False], ids=["saturation-first", "adstock-first"])
@pytest.mark.parametrize(
    ("adstock", "saturation"),
    list(cases()),
    ids=[f"{a[0].kind}-{s[0].kind}-{'-'.join({**a[1], **s[1]})}" for a, s in cases()],
)
def test_graph_and_twin_agree_in_values_and_gradients(adstock, saturation, first, own, quick_mode):
    transform = ChannelTransform(adstock[0], saturation[0], saturation_first=first)
    term, start = made_up_term(transform, adstock[1] | saturation[1], own=own)
    chosen = np.array([*adstock[1].values(), *saturation[1].values()])
    weights = np.random.default_rng(4).normal(size=len(term.exposure))
    with pm.Model():
        unknown = pt.dvector("unknown")
        graph = term.graph(unknown)
        summed = (graph * weights).sum()
        value_and_gradient = pytensor.function(
            [unknown], [graph, pytensor.grad(summed, unknown)], mode=quick_mode
        )
        value, gradient = value_and_gradient(chosen)

    def twin(at):
        return term.values(slice(None), np.atleast_2d(at).T)[:, 0]

    np.testing.assert_allclose(value, twin(chosen), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(twin(start), 0.0, atol=1e-12)
    for at in range(len(chosen)):
        step = np.zeros_like(chosen)
        step[at] = 1e-6 * chosen[at]
        # central differences of a smooth function: the error is of the order of 1e-9
        difference = weights @ (twin(chosen + step) - twin(chosen - step)) / (2.0 * step[at])
        assert gradient[at] == pytest.approx(difference, rel=1e-6, abs=1e-7)


def test_blocks_of_edges_have_the_values_of_the_whole(monkeypatch):
    transform = ChannelTransform(ADSTOCKS[0][0], SATURATIONS[0][0])
    term, _ = made_up_term(transform, {"decay": 0.4, "slope": 2.0}, own=False)
    draws = np.random.default_rng(5).uniform(0.3, 0.8, (2, 7))
    whole = term.values(slice(None), draws)
    parts = [term.values(slice(a, a + 5), draws) for a in range(0, len(term.exposure), 5)]
    np.testing.assert_array_equal(np.vstack(parts), whole)
    monkeypatch.setattr("bayes_attrib.model.learned_exposure._BLOCK", 40)
    np.testing.assert_array_equal(term.values(slice(None), draws), whole)


def test_data_that_were_read_for_another_spec_are_refused():
    spec = parse_spec(
        """
        schema_version = 1
        name = "learned"
        columns = { aggregate = ["channel", "week"], entity = "campaign" }
        [exposure]
        channel = "channel"
        period = "week"
        totals = "measured"
        [exposure.channels.TV]
        adstock = { kind = "geometric", decay = 0.5, l_max = 4 }
        learn = { decay = { dist = "Beta", alpha = 2, beta = 2 } }
        """
    )
    data = AggregateData.from_dense([[1.0, 2.0], [2.0, 1.0]], [3.0, 4.0])
    with pytest.raises(ValueError, match="learns 1 transforms, and the data hold delivery of 0"):
        transform_term(data, spec)
