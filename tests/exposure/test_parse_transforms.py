"""Transforms of channels from plain tables, as TOML gives them."""

from __future__ import annotations

import datetime as dt
import tomllib

import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.exposure import (
    BinomialAdstock,
    ChannelTransform,
    DelayedAdstock,
    GeometricAdstock,
    HillSaturation,
    LogisticSaturation,
    NoSaturation,
    parse_transforms,
)

TOML = """
[TV]
adstock    = { kind = "delayed", decay = 0.7, peak = 2, l_max = 8 }
saturation = { kind = "hill", half_saturation = 0.4, slope = 1.5 }
scale      = 120000

[TV.geos.north]
adstock = { decay = 0.6 }
scale   = 80000

[TV.geos.south]
saturation = { kind = "none" }

[Search]
saturation = { kind = "logistic", steepness = 2.0 }
saturation_first = true

[Social]
adstock = { kind = "geometric", l_max = 4, normalise = false }
geos.north = { adstock = { decay = 0.1 } }

[Radio.geos.north]
adstock = { kind = "binomial", decay = 0.5, l_max = 6, horizon = 6 }
"""


def test_geos_keep_what_they_do_not_name():
    delayed = DelayedAdstock(0.7, 2, 8)
    hill = HillSaturation(0.4, 1.5)
    assert parse_transforms(tomllib.loads(TOML)) == {
        "TV": ChannelTransform(delayed, hill, 120_000),
        ("TV", "north"): ChannelTransform(DelayedAdstock(0.6, 2, 8), hill, 80_000),
        ("TV", "south"): ChannelTransform(delayed, NoSaturation(), 120_000),
        "Search": ChannelTransform(saturation=LogisticSaturation(2.0), saturation_first=True),
        ("Social", "north"): ChannelTransform(GeometricAdstock(0.1, 4, normalise=False)),
        ("Radio", "north"): ChannelTransform(BinomialAdstock(0.5, 6, horizon=6)),
    }


def test_another_kind_in_a_geo_brings_its_own_parameters():
    table = {
        "TV": {
            "adstock": {"kind": "delayed", "decay": 0.7, "peak": 2, "l_max": 8},
            "geos": {"north": {"adstock": {"kind": "geometric", "decay": 0.3}}},
        }
    }
    assert parse_transforms(table)["TV", "north"].adstock == GeometricAdstock(0.3)


def test_an_empty_table_leaves_delivery_as_it_is():
    assert parse_transforms({"TV": {}}) == {"TV": ChannelTransform()}


@pytest.mark.parametrize(
    ("table", "where", "message", "remedy"),
    [
        (
            {"adstock": {"kind": "geometrc", "decay": 0.5}},
            "adstock.kind",
            "unknown kind 'geometrc'",
            "did you mean 'geometric'? the kinds are geometric, binomial, delayed, weibull_pdf,",
        ),
        (
            {"saturation": {"slope": 0.5}},
            "saturation.kind",
            "the kind is missing",
            "the kinds are hill, logistic, tanh, michaelis_menten, root, none",
        ),
        ({"saturation": {"kind": 3}}, "saturation.kind", "unknown kind 3", "the kinds are hill"),
        (
            {"adstock": {"kind": "delayed", "decay": 0.5, "l_max": 8}},
            "adstock.peak",
            "the parameter 'peak' is missing",
            "add it; keys: decay, peak, l_max, normalise",
        ),
        (
            {"adstock": {"kind": "geometric", "decai": 0.5}},
            "adstock.decai",
            "unknown key 'decai'",
            "did you mean 'decay'? keys: decay, l_max, normalise",
        ),
        (
            {"adstock": {"kind": "none", "l_max": 3}},
            "adstock.l_max",
            "unknown key 'l_max'",
            "keys: none",
        ),
        (
            {"adstok": {}},
            "adstok",
            "unknown key 'adstok'",
            "did you mean 'adstock'? keys: adstock, saturation, scale, saturation_first, geos",
        ),
        (
            {"geos": {"north": {"scal": 3}}},
            "geos.north.scal",
            "unknown key 'scal'",
            "did you mean 'scale'?",
        ),
        (
            {"geos": {"north": 3}},
            "geos.north",
            "must be a table; got 3",
            "write a table",
        ),
        (
            {"adstock": {"kind": "geometric", "decay": "x"}},
            "adstock.decay",
            "must be a number; got 'x'",
            "correct the value",
        ),
        (
            {"scale": dt.date(2025, 1, 1)},
            "scale",
            "must be a number; got datetime.date(2025, 1, 1)",
            "correct the value",
        ),
        ({"scale": True}, "scale", "must be a number; got True", "correct the value"),
        (
            {"saturation_first": 1},
            "saturation_first",
            "must be true or false; got 1",
            "correct the value",
        ),
        (
            {"adstock": {"kind": "geometric", "decay": 2}},
            "adstock",
            "decay must lie in [0, 1]; got 2",
            "correct the value",
        ),
        ({"scale": 0}, "", "scale must be positive; got 0", "correct the value"),
        ({"adstock": 3}, "adstock", "must be a table; got 3", "write a table"),
    ],
)
def test_a_fault_is_told_with_its_path(table, where, message, remedy):
    with pytest.raises(SpecError) as caught:
        parse_transforms({"TV": table}, path="exposure.channels")
    (finding,) = caught.value.findings
    assert finding.where == ".".join(filter(None, ["exposure.channels.TV", where]))
    assert finding.message == message
    assert finding.remedy.startswith(remedy)


def test_faults_of_all_channels_are_told_together():
    with pytest.raises(SpecError) as caught:
        parse_transforms({"TV": {"scale": 0}, "Radio": 3, "Print": {}})
    assert [f.where for f in caught.value.findings] == ["channels.TV", "channels.Radio"]


def test_a_fault_of_a_channel_is_not_hidden_by_its_geos():
    table = {"TV": {"scale": -1, "geos": {"north": {"scale": 2}}}}
    with pytest.raises(SpecError, match="scale must be positive; got -1"):
        parse_transforms(table)
