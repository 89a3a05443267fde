"""Exports of mix models as the tests write them: deliveries, and folders or files to import."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bayes_attrib.exposure import (
    DeliveryColumns,
    GeometricAdstock,
    HillSaturation,
    carry_over,
    geometric_weights,
    normalised,
)

PYMC_FILE = Path(__file__).parent / "mmm" / "pymc_marketing_two_geos.nc"
GEO_COLUMNS = DeliveryColumns("campaign", "channel", "period", geo="geo")
COLUMNS = DeliveryColumns("campaign", "channel", "period")
CHANNELS = ("TV", "Search")
WEEKS = tuple(f"{day:%Y-%m-%d}" for day in pd.date_range("2024-01-01", periods=12, freq="7D"))


def pymc_tree():
    """Return the saved fit, to be spoilt."""
    with xr.open_datatree(PYMC_FILE, engine="h5netcdf") as tree:
        return tree.load()


def split_delivery(delivery, *, n_entities=4, seed=0):
    """Split delivery by channel into campaigns.

    ``delivery`` has the dimensions period, geo and channel; so has the table that is returned,
    with a column geo only where geos have names.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for channel in delivery["channel"].to_numpy():
        for period in delivery["period"].to_numpy():
            for geo in delivery["geo"].to_numpy():
                value = float(delivery.sel(channel=channel, period=period, geo=geo))
                for k, part in enumerate(rng.dirichlet(np.full(n_entities, 3.0))):
                    row = {"campaign": f"{channel} {k}", "channel": channel, "period": period}
                    row |= {"geo": geo} if geo else {}
                    goal = ("Awareness", "Sale")[k % 2]
                    rows.append({**row, "objective": goal, "delivery": value * part})
    return pd.DataFrame(rows)


def pymc_delivery():
    """Return campaigns that add up to the delivery of the saved fit."""
    data = pymc_tree()["constant_data"].to_dataset()["channel_data"].rename(date="period")
    days = [str(day)[:10] for day in data["period"].to_numpy()]
    return split_delivery(data.assign_coords(period=days))


def made_delivery(*, geos=("",), periods=WEEKS, seed=3):
    rng = np.random.default_rng(seed)
    shape = (len(periods), len(geos), len(CHANNELS))
    values = np.round(rng.uniform(20, 100, shape) * (rng.random(shape) < 0.8), 2)
    coords = {"period": list(periods), "geo": list(geos), "channel": list(CHANNELS)}
    return xr.DataArray(values, coords, ("period", "geo", "channel"))


def meridian_dataset(*, geos=("north", "south"), n_history=2, seed=5):
    """Return an export of Meridian in its documented form, consistent in itself."""
    rng = np.random.default_rng(seed)
    media = made_delivery(geos=geos).transpose("geo", "period", "channel")
    scale = 10.0 * (1 + np.arange(len(geos)))[:, None] * np.array([3.0, 5.0])
    parameters = {
        "alpha_m": rng.beta(4, 6, (2, 8, 2)),
        "ec_m": rng.uniform(0.5, 1.5, (2, 8, 2)),
        "slope_m": rng.uniform(0.8, 1.6, (2, 8, 2)),
    }
    max_lag = 3
    scaled = media.to_numpy() / scale[:, None]
    series = np.moveaxis(scaled, 1, -1)[None, None]  # chain, draw, geo, channel, time
    weights = normalised(geometric_weights(parameters["alpha_m"], l_max=max_lag + 1))
    carried = carry_over(
        np.broadcast_to(series, (2, 8, *series.shape[2:])), weights[:, :, None, :, :]
    )
    half, slope = (parameters[k][:, :, None, :, None] for k in ("ec_m", "slope_m"))
    outcome = 500.0 * carried**slope / (carried**slope + half**slope)
    outcome = np.moveaxis(outcome, -1, 3)[:, :, :, n_history:]  # chain, draw, geo, time, channel
    return xr.Dataset(
        {
            "incremental_outcome": (("chain", "draw", "geo", "time", "channel"), outcome),
            **{k: (("chain", "draw", "media_channel"), v) for k, v in parameters.items()},
            "media": (("geo", "media_time", "media_channel"), media.to_numpy()),
            "media_scaled": (
                ("geo", "media_time", "media_channel"),
                scaled.astype(np.float32),
            ),
        },
        coords={
            "geo": list(geos),
            "time": list(WEEKS[n_history:]),
            "media_time": list(WEEKS),
            "channel": list(CHANNELS),
            "media_channel": list(CHANNELS),
        },
        attrs={
            "max_lag": max_lag,
            "hill_before_adstock": 0,
            "adstock_decay": "geometric",
            "package_version": "2.1.0",
        },
    )


def meridian_delivery(data):
    """Return campaigns that add up to the media of an export."""
    named = data["media"].rename(media_time="period", media_channel="channel")
    geos = ["" if geo == "national_geo" else geo for geo in data["geo"].to_numpy()]
    return split_delivery(named.assign_coords(geo=geos))


def robyn_tables(*, n_history=2, solutions=("1_172_8",)):
    """Return the three tables of an export of Robyn, and the deliveries that it was made from."""
    delivery = made_delivery()
    theta, alphas, gammas = (0.4, 0.1), (1.5, 2.0), (0.6, 0.4)
    decomposed, raw, parameters = [], [], []
    for number, solution in enumerate(solutions):
        window = pd.DataFrame({"ds": WEEKS[n_history:], "dep_var": 1000.0 + number})
        media = pd.DataFrame({"ds": WEEKS[n_history:]})
        row = {"solID": solution}
        for j, channel in enumerate(CHANNELS):
            series = delivery.sel(geo="", channel=channel).to_numpy()
            works = carry_over(series, GeometricAdstock(theta[j], normalise=False).weights())
            works = works[n_history:]
            half = works.min() + gammas[j] * (works.max() - works.min())
            curve = HillSaturation(half, alphas[j]).of(works)
            window[channel] = (100.0 + number) * (1 + j) * curve
            media[channel] = series[n_history:]
            row |= {f"{channel}_thetas": theta[j], f"{channel}_alphas": alphas[j]}
            row |= {f"{channel}_gammas": gammas[j]}
        decomposed.append(window.assign(intercept=500.0, depVarHat=990.0, solID=solution))
        raw.append(media.assign(type="rawMedia", solID=solution))
        parameters.append({**row, "lambda": 0.1, "rsq_train": 0.9})
    return (
        {
            "pareto_alldecomp_matrix.csv": pd.concat(decomposed, ignore_index=True),
            "pareto_hyperparameters.csv": pd.DataFrame(parameters),
            "pareto_media_transform_matrix.csv": pd.concat(raw, ignore_index=True),
        },
        split_delivery(delivery),
    )


def write_robyn(folder, tables):
    """Write tables as R's write.csv does: with a first column of row names and no header."""
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.set_axis(range(1, len(table) + 1)).to_csv(folder / name, index_label="")
    return folder
