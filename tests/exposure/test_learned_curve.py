"""Curves with unknown parameters: the formulas of fixed ones, in logarithms and for all draws."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.exposure import (
    BinomialAdstock,
    ChannelTransform,
    DelayedAdstock,
    GeometricAdstock,
    HillSaturation,
    LogisticSaturation,
    MichaelisMentenSaturation,
    NoAdstock,
    NoSaturation,
    RootSaturation,
    TanhSaturation,
    WeibullCdfAdstock,
    WeibullPdfAdstock,
)
from bayes_attrib.exposure.curve_math import LEAST_WEIGHT, NUMPY
from bayes_attrib.exposure.lagged import Curve, LaggedDelivery

N_LAGS = 6

ADSTOCKS = {
    "geometric": (GeometricAdstock(0.6, N_LAGS), ("decay",)),
    "geometric-not-normalised": (GeometricAdstock(0.6, N_LAGS, normalise=False), ("decay",)),
    "binomial": (BinomialAdstock(0.4, N_LAGS), ("decay",)),
    "binomial-horizon": (BinomialAdstock(0.4, N_LAGS, horizon=N_LAGS), ("decay",)),
    "delayed": (DelayedAdstock(0.7, 1.7, N_LAGS), ("decay", "peak")),
    "weibull_pdf": (WeibullPdfAdstock(2.3, 1.6, N_LAGS), ("scale", "shape")),
    "weibull_cdf": (WeibullCdfAdstock(2.3, 1.6, N_LAGS), ("scale", "shape")),
    "none": (NoAdstock(), ()),
}
SATURATIONS = {
    "hill": (HillSaturation(0.8, 1.7), ("half_saturation", "slope")),
    "logistic": (LogisticSaturation(1.3), ("steepness",)),
    "tanh": (TanhSaturation(1.4, 0.6), ("ceiling",)),
    "tanh-cost": (TanhSaturation(1.4, 0.6), ("cost",)),
    "michaelis_menten": (MichaelisMentenSaturation(0.9, 2.0), ("half_saturation",)),
    "root": (RootSaturation(0.4), ("exponent",)),
    "none": (NoSaturation(), ()),
}


def made_up(n_lags: int, seed: int = 1) -> LaggedDelivery:
    """Delivery of three entities in seven periods of one channel, with gaps."""
    rng = np.random.default_rng(seed)
    delivery = rng.gamma(1.0, 1.0, (3, 7)) * (rng.random((3, 7)) < 0.6)
    padded = np.hstack([np.zeros((3, n_lags - 1)), delivery])
    lagged = np.stack([padded[:, n_lags - 1 - lag :][:, :7] for lag in range(n_lags)], axis=2)
    entity, period = np.nonzero(lagged.sum(axis=2))
    return LaggedDelivery(
        np.arange(len(entity)), lagged[entity, period], period, lagged.sum(axis=0)
    )


def fixed_exposures(transform: ChannelTransform, delivery: LaggedDelivery, *, own: bool):
    """The definition, with the functions of fixed transforms."""
    weights, curve = transform.adstock.weights(), transform.saturation.of
    if transform.saturation_first:
        if own:
            return curve(delivery.lags) @ weights
        ratio = curve(delivery.place_lags) / np.where(
            delivery.place_lags > 0, delivery.place_lags, 1
        )
        return (delivery.lags * ratio[delivery.place]) @ weights
    carried, total = delivery.lags @ weights, delivery.place_lags @ weights
    return curve(carried) if own else (curve(total) / total)[delivery.place] * carried


def values_of(transform: ChannelTransform, unknown: tuple[str, ...]) -> np.ndarray:
    own = {**vars(transform.adstock), **vars(transform.saturation)}
    return np.array([own[name] for name in unknown])


def cases():
    for adstock_name, (adstock, adstock_unknown) in ADSTOCKS.items():
        for saturation_name, (saturation, saturation_unknown) in SATURATIONS.items():
            unknown = adstock_unknown + saturation_unknown
            if unknown:
                name = f"{adstock_name}-{saturation_name}"
                yield pytest.param(adstock, saturation, unknown, id=name)


@pytest.mark.parametrize("own", [True, False], ids=["own_curve", "channel_curve"])
@pytest.mark.parametrize("first", [True, False], ids=["saturation-first", "adstock-first"])
@pytest.mark.parametrize(("adstock", "saturation", "unknown"), list(cases()))
def test_equal_to_fixed_transforms_in_every_draw(adstock, saturation, unknown, first, own):
    transform = ChannelTransform(adstock, saturation, saturation_first=first)
    delivery = made_up(len(adstock.weights()))
    curve = Curve(transform, tuple((name, at) for at, name in enumerate(unknown)), own)
    start = values_of(transform, unknown)
    draws = start[:, None] * np.linspace(0.85, 1.15, 5)
    found = curve.log_exposures(delivery, draws, NUMPY, n_lags=delivery.lags.shape[1], axes=1)
    assert found.shape == (len(delivery.edges), 5)
    for draw, values in enumerate(draws.T):
        parameters = dict(zip(unknown, values, strict=True))
        moved = ChannelTransform(
            _with(adstock, parameters), _with(saturation, parameters), saturation_first=first
        )
        wanted = fixed_exposures(moved, delivery, own=own)
        # where all of an exposure is a lag of weight zero, what is learned gives it a trace
        worked = wanted > 10 * LEAST_WEIGHT
        np.testing.assert_allclose(
            np.exp(found[worked, draw]), wanted[worked], rtol=1e-10, atol=1e-10
        )
        assert np.isfinite(found).all()


def _with(part, parameters):
    own = {name: value for name, value in parameters.items() if name in vars(part)}
    return type(part)(**{**vars(part), **own})


def test_part_of_the_exposures_has_the_values_of_the_whole():
    transform = ChannelTransform(*(kinds[0] for kinds in (ADSTOCKS["geometric"],)))
    curve = Curve(transform, (("decay", 0),), own=False)
    delivery = made_up(N_LAGS)
    shifted = LaggedDelivery(
        delivery.edges * 2 + 3, delivery.lags, delivery.place, delivery.place_lags
    )
    decay = np.array([[0.3, 0.7]])
    whole = curve.log_exposures(shifted, decay, NUMPY, n_lags=N_LAGS, axes=1)
    part = shifted.within(slice(8, 20))
    chosen = (shifted.edges >= 8) & (shifted.edges < 20)
    assert part.edges.tolist() == shifted.edges[chosen].tolist()
    found = curve.log_exposures(part, decay, NUMPY, n_lags=N_LAGS, axes=1)
    np.testing.assert_array_equal(found, whole[chosen])


def test_moved_exposures_keep_their_delivery():
    delivery = made_up(N_LAGS)
    position = np.random.default_rng(2).permutation(len(delivery.edges))
    moved = delivery.moved(position)
    assert (np.diff(moved.edges) > 0).all()
    for edge in range(len(position)):
        (at,) = np.flatnonzero(moved.edges == position[edge])
        np.testing.assert_array_equal(moved.lags[at], delivery.lags[edge])
        assert moved.place[at] == delivery.place[edge]
