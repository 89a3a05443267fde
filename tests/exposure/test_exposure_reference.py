"""Adstock and saturation against pymc-marketing, whose numbers reference.json holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.exposure import (
    ADSTOCKS,
    SATURATIONS,
    ChannelTransform,
    DeliveryColumns,
    build_exposures,
    carry_over,
)

REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text())
DELIVERY = np.array(REFERENCE["delivery"])
LEVELS = np.array(REFERENCE["levels"])
COLUMNS = DeliveryColumns(entity="campaign", channel="channel", period="day")

# Our names of its parameters.
NAMES = {
    "geometric": {"alpha": "decay"},
    "binomial": {"alpha": "decay"},
    "delayed": {"alpha": "decay", "theta": "peak"},
    "weibull_pdf": {"lam": "scale", "k": "shape"},
    "weibull_cdf": {"lam": "scale", "k": "shape"},
    "hill": {"kappa": "half_saturation", "slope": "slope"},
    "logistic": {"lam": "steepness"},
    "tanh": {"b": "ceiling", "c": "cost"},
    "michaelis_menten": {"lam": "half_saturation", "alpha": "ceiling"},
    "root": {"alpha": "exponent"},
}


def ours(kind, parameters):
    return {NAMES[kind][name]: value for name, value in parameters.items()}


def adstock_of(case):
    parameters = ours(case["kind"], case["parameters"])
    return ADSTOCKS[case["kind"]](
        **parameters, l_max=case["l_max"], normalise=case.get("normalise", True)
    )


def label(case):
    return "-".join(map(str, [case["kind"], *case["parameters"].values(), case.get("l_max", "")]))


def test_reference_covers_every_kind():
    kinds = {case["kind"] for case in REFERENCE["adstock"] + REFERENCE["saturation"]}
    assert kinds >= (set(ADSTOCKS) | set(SATURATIONS)) - {"none"}
    assert REFERENCE["made_with"]["pymc-marketing"] == "1.3.0"


@pytest.mark.parametrize("case", REFERENCE["adstock"], ids=label)
def test_adstock_equals_pymc_marketing(case):
    carried = carry_over(DELIVERY, adstock_of(case).weights())
    np.testing.assert_allclose(carried, case["carried"], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", REFERENCE["adstock"], ids=label)
def test_tables_are_carried_over_as_arrays_are(case):
    """Gaps, late starts and the tail after the end, one entity per series."""
    days = np.arange(DELIVERY.shape[1])
    table = pd.DataFrame(
        {
            "campaign": np.repeat(["A", "B"], len(days)),
            "channel": "TV",
            "day": np.tile(days, 2),
            "delivery": DELIVERY.ravel(),
        }
    )
    found = build_exposures(
        table[table["delivery"] > 0],
        {"TV": ChannelTransform(adstock_of(case))},
        columns=COLUMNS,
        periods=days,
        semantics="own_curve",
    )
    dense = found.pivot_table(index="campaign", columns="day", values="exposure", aggfunc="sum")
    dense = dense.reindex(columns=days, fill_value=0.0).fillna(0.0)
    np.testing.assert_allclose(dense, case["carried"], rtol=1e-10, atol=1e-10)


def saturation_of(case):
    """The curve of a case; two of pymc-marketing's are ours in other parameters."""
    kind, p = case["kind"], case["parameters"]
    if kind == "inverse_scaled_logistic":
        return SATURATIONS["logistic"](steepness=np.log(3) / p["lam"])
    if kind == "tanh_baselined":
        return SATURATIONS["tanh"](
            ceiling=p["gain"] * p["x0"] / p["r"], cost=p["r"] / (p["gain"] * np.arctanh(p["r"]))
        )
    return SATURATIONS[kind](**ours(kind, p))


@pytest.mark.parametrize("case", REFERENCE["saturation"], ids=label)
def test_saturation_equals_pymc_marketing(case):
    saturated = saturation_of(case).of(LEVELS)
    np.testing.assert_allclose(saturated, case["saturated"], rtol=1e-7, atol=1e-10)
    large = LEVELS > 1e-6  # its logistic subtracts two numbers near 1, and loses digits near 0
    np.testing.assert_allclose(saturated[large], np.array(case["saturated"])[large], rtol=1e-10)


@pytest.mark.parametrize("case", REFERENCE["chain"], ids=lambda case: case["adstock"]["kind"])
def test_entities_share_out_what_the_channel_of_the_mix_model_works(case):
    adstock = {k: v for k, v in case["adstock"].items() if k not in ("kind", "l_max")}
    saturation = {k: v for k, v in case["saturation"].items() if k not in ("kind", "beta")}
    transform = ChannelTransform(
        adstock_of({**case["adstock"], "parameters": adstock}),
        saturation_of({**case["saturation"], "parameters": saturation}),
        scale=case["scale"],
    )
    days = np.arange(DELIVERY.shape[1])
    table = pd.DataFrame(
        {
            "campaign": np.repeat(["A", "B"], len(days)),
            "channel": "TV",
            "day": np.tile(days, 2),
            "delivery": DELIVERY.ravel(),
        }
    )
    found = build_exposures(
        table, {"TV": transform}, columns=COLUMNS, periods=days, semantics="channel_curve"
    )
    total = found.groupby("day")["exposure"].sum().reindex(days, fill_value=0.0)
    np.testing.assert_allclose(total, case["total"], rtol=1e-10, atol=1e-10)
