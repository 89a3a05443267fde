"""The section ``[exposure]``: transforms, unknown parameters, and which geos share them."""

from __future__ import annotations

import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.exposure import ChannelTransform, GeometricAdstock, HillSaturation
from bayes_attrib.inference.laplace.supported import require_supported
from bayes_attrib.spec import parse_plain, parse_spec

HEAD = """
schema_version = 1
name = "mmm"

[columns]
aggregate = ["channel", "geo", "week"]
entity = "campaign"

[exposure]
channel = "channel"
period = "week"
geo = "geo"
totals = "measured"
"""
TV = """
[exposure.channels.TV]
adstock = { kind = "geometric", decay = 0.5, l_max = 8 }
saturation = { kind = "hill", half_saturation = 1.0, slope = 2.0 }
scale = 1000
"""
BETA = '{ dist = "Beta", alpha = 8, beta = 8 }'


def fault(text):
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    (finding,) = caught.value.findings
    assert finding.remedy
    return finding


def test_transforms_and_defaults():
    spec = parse_spec(HEAD + TV)
    wanted = ChannelTransform(GeometricAdstock(0.5, 8), HillSaturation(1.0, 2.0), scale=1000)
    assert spec.exposure.transforms == {"TV": wanted}
    assert spec.exposure.semantics == "channel_curve"
    assert spec.exposure.outside == "refuse"
    assert spec.delivery_column == "delivery"
    assert spec.exposure.learned.parameters == ()
    assert parse_plain(spec.model_dump(mode="json"), source="plain") == spec


def test_geos_share_unknowns_unless_they_name_the_parameter():
    spec = parse_spec(
        HEAD
        + TV
        + f"""
        learn = {{ decay = {BETA} }}
        geos.north = {{ scale = 500 }}
        geos.south = {{ adstock = {{ decay = 0.7 }} }}
        geos.east = {{ adstock = {{ decay = 0.6 }}, learn = {{ decay = {BETA} }} }}
        geos.west = {{ adstock = {{ kind = "none" }} }}
        """
    )
    learned = spec.exposure.learned
    assert [p.label for p in learned.parameters] == ["TV / decay", "TV / east / decay"]
    assert [p.value for p in learned.parameters] == [0.5, 0.6]
    assert [(t.keys, t.curve.unknowns) for t in learned.transforms] == [
        (("TV", ("TV", "north")), (("decay", 0),)),
        ((("TV", "east"),), (("decay", 1),)),
    ]


def test_an_unknown_that_no_geo_shares_is_a_fault():
    text = HEAD + (
        "[exposure.channels.TV]\n"
        f'learn = {{ decay = {BETA} }}\nadstock = {{ kind = "geometric", l_max = 4 }}\n'
        "geos.north = { adstock = { decay = 0.4 } }\n"
    )
    assert "every geo of the channel names 'decay' itself" in fault(text).message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('period = "week"', 'period = "campaign"', "is no key column of the aggregates"),
        ('geo = "geo"', 'geo = "channel"', "'channel' is exposure.channel already"),
        ('channel = "channel"', 'channel = "total"', "'total' has another role already"),
        ("decay = 0.5", "decay = 1.0", "on the edge of where decay lives"),
        ("l_max = 8", "l_max = 1", "l_max 1 has no fixed lags"),
        ("alpha = 8", "alpha = 0", "alpha of Beta must be positive"),
        (f"decay = {BETA}", "decay = 0.5", "got 0.5"),
        ('dist = "Beta"', 'dist = "Bta"', "unknown distribution 'Bta'"),
        (f"{{ decay = {BETA} }}", "{}", "must be a table of priors"),
        (
            '"hill", half_saturation = 1.0, slope = 2.0',
            '"tanh", ceiling = 1.0',
            "'cost' is missing",
        ),
    ],
)
def test_faults(old, new, message):
    text = HEAD + TV + f"learn = {{ decay = {BETA} }}\n"
    assert text.count(old) == 1
    assert message in fault(text.replace(old, new)).message


def test_both_parameters_of_tanh_are_not_learned_together():
    text = HEAD + (
        "[exposure.channels.TV]\n"
        'saturation = { kind = "tanh", ceiling = 1.0, cost = 2.0 }\n'
        "[exposure.channels.TV.learn]\n"
        'ceiling = { dist = "LogNormal", mu = 0.0, sigma = 0.3 }\n'
        'cost = { dist = "LogNormal", mu = 0.7, sigma = 0.3 }\n'
    )
    assert "by their product alone" in fault(text).message


def test_laplace_refuses_what_is_learned():
    with pytest.raises(SpecError, match="does not serve transforms that are learned"):
        require_supported(parse_spec(HEAD + TV + f"learn = {{ decay = {BETA} }}\n"))
    require_supported(parse_spec(HEAD + TV))
