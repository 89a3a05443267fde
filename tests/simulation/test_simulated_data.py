"""SimulatedTables.build_data against dictionaries filled row by row."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.simulation import SCENARIOS, simulate


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_edge_lands_where_its_keys_say(scenario):
    tables = simulate(scenario, seed=3)
    columns = tables.spec_columns
    data = tables.build_data()
    wanted = {
        (*(row[k] for k in columns.aggregate), row[columns.entity]): (
            row[columns.exposure],
            row[columns.amount],
        )
        for row in tables.exposures.to_dict("records")
        if row[columns.exposure] > 0
    }
    keys = list(data.aggregate_keys.itertuples(index=False, name=None))
    assert data.n_edges == len(wanted)
    for b, e, exposure, amount in zip(
        data.edge_aggregate, data.edge_entity, data.exposure.data, data.truth, strict=True
    ):
        assert wanted[*keys[b], data.entity_names[e]] == (exposure, amount)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_totals_and_names_keep_the_order_of_the_tables(scenario):
    tables = simulate(scenario, seed=3)
    columns = tables.spec_columns
    data = tables.build_data()
    assert data.totals.tolist() == tables.aggregates[columns.total].tolist()
    assert data.entity_names.tolist() == tables.entities[columns.entity].tolist()
    assert data.entity_key == columns.entity
    assert list(data.aggregate_keys) == list(columns.aggregate)
    summed = np.bincount(data.edge_aggregate, weights=data.truth, minlength=data.n_aggregates)
    if scenario == "journeys":  # some conversions are nobody's
        assert (summed <= data.totals).all()
    elif scenario != "mmm_to_creatives":  # its totals are those of a mix model
        np.testing.assert_allclose(summed, data.totals, rtol=1e-13)


def test_groupings_carry_the_labels():
    tables = simulate("mmm_to_mta", seed=3)
    data = tables.build_data(["channel", "objective"])
    assert list(data.groupings) == ["channel", "objective"]
    for name, grouping in data.groupings.items():
        labels = [grouping.levels[code] for code in grouping.codes]
        assert labels == tables.entities[name].tolist()


def test_bricks_without_hcps_stay_with_a_total_of_zero():
    options = {"n_entities": 5, "n_aggregates": 60}
    data = simulate("hcp_brick", seed=3, options=options).build_data()
    assert data.n_aggregates == 60
    assert not data.is_exposed.all()
    assert (data.totals[~data.is_exposed] == 0).all()


def test_unknown_groupings_get_the_nearest_column():
    with pytest.raises(SpecError) as caught:
        simulate("hcp_brick", seed=3).build_data(["speciality", "specialty"])
    (finding,) = caught.value.findings
    assert finding.message == "has no column 'speciality'"
    assert finding.remedy.startswith("did you mean 'specialty'? columns: hcp_id, ")


def test_nested_groupings_are_named_by_their_paths():
    levels = ["channel", "platform", "format", "campaign"]
    tables = simulate("creative_nested", seed=3)
    data = tables.build_data(["objective"], levels)
    assert list(data.groupings) == ["objective", *levels]
    for depth, level in enumerate(levels, start=1):
        grouping = data.groupings[level]
        paths = [" / ".join(row) for row in tables.entities[levels[:depth]].to_numpy()]
        assert [grouping.levels[code] for code in grouping.codes] == paths
        assert len(grouping.levels) == getattr(tables.options, f"n_{level}s")


def test_covariates_come_as_float_or_text():
    tables = simulate("creative_nested", seed=3)
    assert tables.build_data().entity_covariates is None
    covariates = tables.build_data(covariates=["video_seconds", "objective"]).entity_covariates
    assert covariates["video_seconds"].dtype == np.float64
    assert covariates["video_seconds"].tolist() == tables.entities["video_seconds"].tolist()
    assert covariates["objective"].tolist() == tables.entities["objective"].tolist()


@pytest.mark.parametrize("role", ["nested", "covariates"])
def test_unknown_columns_are_refused_in_every_role(role):
    with pytest.raises(SpecError, match="did you mean 'platform'"):
        simulate("creative_nested", seed=3).build_data(**{role: ["plattform"]})
