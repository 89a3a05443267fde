"""What else can be wrong with the series of a mix model, once they are arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bayes_attrib.citing import listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries

_FEWEST_PERIODS: Final = 20
_CLOSE_CORRELATION: Final = 0.9


def series_findings(spec: MmmSpec, series: MmmSeries) -> Iterator[Finding]:
    """Yield faults and warnings about whole series.

    Parameters
    ----------
    spec : MmmSpec
        The model.
    series : MmmSeries
        The data.

    Yields
    ------
    Finding
        Errors where no model could be fitted; warnings where one could not tell much.
    """
    yield from _few_periods(spec, series)
    yield from _idle_channels(series)
    yield from _targets(spec, series)
    yield from _constant_controls(spec, series)
    yield from _close_channels(series)
    yield from _events_outside(spec, series)


def _few_periods(spec: MmmSpec, series: MmmSeries) -> Iterator[Finding]:
    where, n = series.source.name, series.n_periods
    if n < _FEWEST_PERIODS:
        yield Finding(
            "few-periods",
            "error",
            where,
            f"there are {n} periods; a mix model with carry-over needs at least {_FEWEST_PERIODS}",
            "give a longer history; two years of weeks are usual",
        )
    if n <= spec.adstock.l_max:
        yield Finding(
            "l-max-too-long",
            "error",
            f"{where}, adstock.l_max",
            f"spend works for {spec.adstock.l_max} periods, and there are {n}",
            "shorten adstock.l_max",
        )
    days = (series.dates[-1] - series.dates[0]).days
    if spec.baseline.yearly_seasonality and days < 365:
        yield Finding(
            "less-than-a-year",
            "warning",
            where,
            f"the series span {days} days, so seasons over the year are told by the prior alone",
            "set baseline.yearly_seasonality = 0, or give a longer history",
        )


def _idle_channels(series: MmmSeries) -> Iterator[Finding]:
    for i, name in enumerate(series.channels):
        where, own = f"{series.source.name}, {name}", series.spend[:, :, i]
        if not own.any():
            message = f"the channel {quote(name)} has no spend; its effect cannot be told"
            remedy = "remove it from columns.channels"
            yield Finding("channel-without-spend", "error", where, message, remedy)
            continue
        idle = [
            quote(geo) for geo, spent in zip(series.geos, own.T, strict=True) if not spent.any()
        ]
        if idle:
            message = f"the channel {quote(name)} has no spend in the geos {listed(idle)}"
            yield Finding("geo-without-spend", "warning", where, message)
        if (np.ptp(own, axis=0) == 0).all():
            message = (
                f"the channel {quote(name)} spends the same in every period; its effect cannot be "
                "told from the baseline"
            )
            remedy = "add a lift test, or read its contribution as what the prior says"
            yield Finding("constant-spend", "warning", where, message, remedy)


def _targets(spec: MmmSpec, series: MmmSeries) -> Iterator[Finding]:
    where = f"{series.source.name}, {spec.columns.target}"
    for j, geo in enumerate(series.geos):
        values = series.target[:, j]
        place = f" in geo {quote(geo)}" if geo else ""
        if np.ptp(values) == 0:
            message = f"the target is {values[0]:g} in every period{place}"
            yield Finding("constant-target", "error", where, message, "check the column")
        elif values.max() <= 0:
            message = f"the target is never positive{place}, and it is divided by its largest value"
            yield Finding("target-not-positive", "error", where, message, "check its sign")
    if spec.likelihood == "truncated_normal" and (series.target < 0).any():
        yield Finding(
            "negative-target",
            "error",
            where,
            f"{int((series.target < 0).sum())} targets are negative, which the likelihood "
            "'truncated_normal' excludes",
            'write likelihood = "normal"',
        )


def _constant_controls(spec: MmmSpec, series: MmmSeries) -> Iterator[Finding]:
    events = {event.name for event in spec.events}
    for i, name in enumerate(series.controls):
        values = series.control[:, :, i]
        if name in events and not values.any():
            continue  # said to lie outside of the series
        if np.ptp(values) == 0:
            yield Finding(
                "constant-control",
                "error",
                f"{series.source.name}, {name}",
                f"the control {quote(name)} is {values.flat[0]:g} in every period; its effect "
                "cannot be told from the baseline",
                "remove it, or correct its dates if it is an event",
            )
        elif np.abs(values).max() > 50:
            yield Finding(
                "large-control",
                "warning",
                f"{series.source.name}, {name}",
                f"the control {quote(name)} reaches {np.abs(values).max():g}; controls are used as "
                "they are, and their prior is stated for values around 1",
                "divide the column by its largest value, or state priors.gamma_control",
            )


def _close_channels(series: MmmSeries) -> Iterator[Finding]:
    flat = series.spend.reshape(-1, len(series.channels))
    varying = np.ptp(flat, axis=0) > 0
    for i in range(flat.shape[1]):
        for j in range(i + 1, flat.shape[1]):
            if not (varying[i] and varying[j]):
                continue
            r = float(np.corrcoef(flat[:, i], flat[:, j])[0, 1])
            if abs(r) > _CLOSE_CORRELATION:
                pair = listed([quote(series.channels[i]), quote(series.channels[j])])
                yield Finding(
                    "collinear-spend",
                    "warning",
                    series.source.name,
                    f"the spends of {pair} correlate at {r:.2f}; what one did is hard to tell "
                    "from what the other did",
                    "add a lift test of one of them, or read their sum",
                )


def _events_outside(spec: MmmSpec, series: MmmSeries) -> Iterator[Finding]:
    for event in spec.events:
        i = series.controls.index(event.name)
        if not series.control[:, :, i].any():
            first, last = series.dates[0], series.dates[-1]
            yield Finding(
                "event-outside",
                "error",
                f"events, {event.name}",
                f"it lies outside of the series, {first:%Y-%m-%d} to {last:%Y-%m-%d}",
                "correct its dates, or remove it",
            )
