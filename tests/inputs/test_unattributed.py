"""The entity that stands for what no exposure explains."""

from __future__ import annotations

import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.spec import parse_spec

SPEC = """
schema_version = 1
name = "hcp_brick"

[columns]
aggregate = ["brick_id"]
entity = "hcp_id"
total = "units"
exposure = "visits"
amount = "units_true"

"""
AGGREGATES = "brick_id,units,population\nB1,12,100\nB2,7,0\nB3,0,50\nB4,5,20\n"
ENTITIES = "hcp_id,specialty,region,age\nH3,CARDIO,N,30\nH2,GP,N,40\nH1,GP,S,50\n"
SCORED = (
    "brick_id,hcp_id,visits,units_true\n"
    "B1,H1,3,7\nB1,H2,1,3\nB2,H2,2,3\nB2,H3,2.5,4\nB3,H3,1,0\n"
)  # fmt: skip


def codes(found):
    return [finding.code for finding in found.findings]


@pytest.fixture
def unattributed(read):
    def read_with(section, rates="", family="poisson", **tables):
        text = f'{SPEC}[likelihood]\nfamily = "{family}"\n[rates]\n{rates}\n{section}\n'
        tables = {"aggregates": AGGREGATES, "exposures": SCORED, "entities": ENTITIES} | tables
        return read(spec=parse_spec(text), **tables)

    return read_with


def test_one_per_aggregate_where_no_column_is_named(unattributed):
    data = unattributed("[unattributed]").data
    assert data.has_unattributed
    assert data.entity_names.tolist() == ["H3", "H2", "H1", "unattributed"]
    assert data.exposure.toarray().tolist() == [
        [0, 1, 3, 1],
        [2.5, 2, 0, 1],
        [1, 0, 0, 1],
        [0, 0, 0, 1],
    ]
    assert data.n_attributable == 3


def test_exposure_from_a_column_of_the_aggregates(unattributed):
    data = unattributed('[unattributed]\nexposure = "population"').data
    assert data.exposure.toarray()[:, -1].tolist() == [100, 0, 50, 20]
    assert data.n_edges == 5 + 3


def test_what_known_amounts_leave_of_the_total_is_its_truth(unattributed):
    found = unattributed('[unattributed]\nexposure = "population"')
    dense = found.data.exposure.toarray() * 0
    dense[found.data.edge_aggregate, found.data.edge_entity] = found.data.truth
    assert dense.tolist() == [[0, 3, 7, 2], [4, 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 5]]
    assert codes(found) == []  # amounts below their totals are the point, not a fault


def test_known_amounts_above_the_total_or_where_nothing_is_unattributed_are_a_warning(unattributed):
    above = SCORED.replace("B1,H1,3,7", "B1,H1,3,10")
    found = unattributed("[unattributed]", exposures=above)
    assert [(f.code, f.where) for f in found.findings] == [
        ("amounts-off-total", "aggregates.csv, line 2")
    ]
    assert (found.data.truth >= 0).all()
    below = SCORED.replace("B2,H2,2,3", "B2,H2,2,1")
    found = unattributed('[unattributed]\nexposure = "population"', exposures=below)
    assert [(f.code, f.where) for f in found.findings] == [
        ("amounts-off-total", "aggregates.csv, line 3")
    ]


def test_it_is_a_level_of_its_own_in_every_grouping(unattributed):
    rates = 'pooling = ["specialty"]\nnested = ["region"]\ncovariates = "age"'
    data = unattributed("[unattributed]", rates).data
    for name, levels in {"specialty": ("CARDIO", "GP"), "region": ("N", "S")}.items():
        assert data.groupings[name].levels == (*levels, "unattributed")
        assert data.groupings[name].codes[-1] == 2
        assert data.attributable_grouping(name).levels == levels
    assert data.entity_covariates["age"].tolist() == [30, 40, 50]


def test_pair_covariates_have_a_row_without_values_for_it(unattributed):
    rows = [f"{line},{i},{'ab'[i % 2]}" for i, line in enumerate(SCORED.splitlines()[1:])]
    exposures = "\n".join(["brick_id,hcp_id,visits,units_true,distance,slot", *rows, ""])
    rates = 'pair_covariates = "distance + slot"'
    data = unattributed("[unattributed]", rates, exposures=exposures).data
    own = data.edge_entity == data.n_attributable
    assert data.pair_covariates["distance"].isna().tolist() == own.tolist()
    assert (data.pair_covariates["slot"] == "").tolist() == own.tolist()
    assert data.pair_covariates["distance"][~own].tolist() == [1, 0, 3, 2, 4]


def test_a_total_without_any_exposure_is_explained(unattributed):
    with pytest.raises(DataError, match="unexplained-total"):
        unattributed("")
    assert codes(unattributed("[unattributed]")) == []


def test_zeros_are_impossible_under_gamma_wherever_something_is_unattributed(unattributed):
    with pytest.raises(DataError, match="lines 4 and 6: 'units' is zero"):
        unattributed("[unattributed]", family="gamma", aggregates=AGGREGATES + "B5,0,0\n")
    section = '[unattributed]\nexposure = "population"'
    with pytest.raises(DataError, match="line 4: 'units' is zero"):
        unattributed(section, family="gamma", aggregates=AGGREGATES + "B5,0,0\n")
    found = unattributed(section, family="hurdle_gamma", aggregates=AGGREGATES + "B5,0,0\n")
    assert codes(found) == ["empty-aggregate"]


def test_names_may_look_like_it_where_there_is_none(unattributed):
    exposures = SCORED.replace("H1", "unattributed") + "B4,H3,1,5\n"
    found = unattributed("", exposures=exposures)
    assert not found.data.has_unattributed
    assert "unattributed" in found.data.entity_names
