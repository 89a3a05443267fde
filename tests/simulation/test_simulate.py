"""Names, seeds and options in; the same tables every time out."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pydantic
import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.simulation import SCENARIOS, simulate

TABLES = ("aggregates", "exposures", "entities")
SMALL = {
    "hcp_brick": {"n_entities": 30, "n_aggregates": 7},
    "mmm_to_mta": {"n_campaigns": 2, "n_weeks": 4, "n_geos": 2},
    "mmm_to_creatives": {"n_campaigns": 1, "n_weeks": 10},
    "creative_nested": {"n_weeks": 4, "n_geos": 2},
    "user_goodwill": {"n_users": 200, "n_campaigns": 3, "n_days": 14},
    "journeys": {"n_customers": 200, "n_weeks": 4},
    "mmm_three_channels": {"n_weeks": 30},
    "mmm_retail": {"n_weeks": 30},
}
KNOWN = (
    "known: hcp_brick, mmm_to_mta, creative_nested, mmm_to_creatives, user_goodwill, journeys, "
    "mmm_three_channels, mmm_retail"
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_seed_determines_the_tables(scenario):
    first, again, other = (
        simulate(scenario, seed=seed, options=SMALL[scenario]) for seed in (4, 4, 5)
    )
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(first, table), getattr(again, table))
    assert not first.exposures.equals(other.exposures)
    assert not first.entities.equals(other.entities)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_tables_say_what_made_them(scenario):
    tables = simulate(scenario, seed=4, options=SMALL[scenario])
    assert (tables.scenario, tables.seed) == (scenario, 4)
    assert SMALL[scenario].items() <= tables.options.model_dump().items()
    assert tables.spec_columns == SCENARIOS[scenario].options().columns
    with pytest.raises(dataclasses.FrozenInstanceError):
        tables.seed = 5
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        tables.options.n_entities = 5


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_option_is_described_and_has_a_default(scenario):
    for name, field in SCENARIOS[scenario].options.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name
    assert SCENARIOS[scenario].name == scenario
    assert SCENARIOS[scenario].description.endswith(".")


def test_unknown_scenarios_get_the_nearest_name():
    with pytest.raises(SpecError) as caught:
        simulate("hcp_bricks", seed=1)
    (finding,) = caught.value.findings
    assert finding.code == "unknown-scenario"
    assert finding.message == "unknown scenario 'hcp_bricks'"
    assert finding.remedy == f"did you mean 'hcp_brick'? {KNOWN}"


def test_names_that_resemble_nothing_get_the_list():
    with pytest.raises(SpecError) as caught:
        simulate("zzz", seed=1)
    assert caught.value.findings[0].remedy == KNOWN


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1"])
def test_seeds_are_whole_numbers(seed):
    with pytest.raises(SpecError, match="the seed must be a whole number, not negative; got"):
        simulate("hcp_brick", seed=seed)


def test_all_faults_of_the_options_are_listed():
    options = {"n_entity": 5, "n_aggregates": 0, "zero_inflation": 1.0, "alpha": "much"}
    with pytest.raises(SpecError) as caught:
        simulate("hcp_brick", seed=1, options=options)
    findings = {finding.where: finding for finding in caught.value.findings}
    assert set(findings) == {
        "scenario hcp_brick, n_entity",
        "scenario hcp_brick, n_aggregates",
        "scenario hcp_brick, zero_inflation",
        "scenario hcp_brick, alpha",
    }
    unknown = findings["scenario hcp_brick, n_entity"]
    assert unknown.code == "unknown-option"
    assert unknown.remedy.startswith("did you mean 'n_entities'? known: n_entities, ")
    ranged = findings["scenario hcp_brick, n_aggregates"]
    assert ranged.code == "invalid-option"
    assert ranged.message == "input should be greater than or equal to 1; got 0"
    assert ranged.remedy == "n_aggregates is: number of bricks"


@pytest.mark.parametrize(
    ("scenario", "options"),
    [
        ("hcp_brick", {"n_entities": 2.0}),
        ("hcp_brick", {"n_entities": True}),
        ("hcp_brick", {"alpha": 0.0}),
        ("hcp_brick", {"phi": -1.0}),
        ("hcp_brick", {"brick_effect_sd": float("nan")}),
        ("hcp_brick", {"visits_on_potential": 3}),
        ("hcp_brick", {"visits_on_specialty": float("inf")}),
        ("mmm_to_mta", {"n_weeks": 0}),
        ("mmm_to_mta", {"seasonality": 1.0}),
        ("mmm_to_mta", {"dark_weeks": 1.0}),
        ("mmm_to_mta", {"alpha": 0.0}),
        ("hcp_brick", {"family": "zip"}),
        ("hcp_brick", {"sigma_total": 0.0}),
        ("hcp_brick", {"outlier": 0.0}),
        ("hcp_brick", {"n_periods": 0}),
        ("creative_nested", {"n_channels": 0}),
        ("creative_nested", {"sigma_platform": -0.1}),
        ("creative_nested", {"sparse_share": 1.1}),
        ("creative_nested", {"total_level": "format"}),
        ("user_goodwill", {"credit": "last_click"}),
        ("user_goodwill", {"carry_over": 1.0}),
        ("user_goodwill", {"click_correlation": 1.1}),
    ],
)
def test_values_out_of_range_are_refused(scenario, options):
    with pytest.raises(SpecError) as caught:
        simulate(scenario, seed=1, options=options)
    (finding,) = caught.value.findings
    assert finding.code == "invalid-option"
    assert finding.where == f"scenario {scenario}, {next(iter(options))}"


def test_overdispersion_lives_at_one_level():
    with pytest.raises(SpecError) as caught:
        simulate("hcp_brick", seed=1, options={"alpha": 1.0, "phi": 1.0})
    (finding,) = caught.value.findings
    assert finding.where == "scenario hcp_brick"
    assert finding.message.endswith("set one of the two")
