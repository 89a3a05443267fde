"""Exports of Robyn: what is read, and every way in which they can be wrong."""

import numpy as np
import pytest
from mmm_exports import COLUMNS, robyn_tables, write_robyn

from bayes_attrib.errors import DataError
from bayes_attrib.exposure import NoAdstock, WeibullCdfAdstock, WeibullPdfAdstock
from bayes_attrib.mmm import RobynOptions, read_delivery, read_robyn

DECOMPOSED, PARAMETERS, MEDIA = (
    "pareto_alldecomp_matrix.csv",
    "pareto_hyperparameters.csv",
    "pareto_media_transform_matrix.csv",
)


@pytest.fixture
def read(tmp_path):
    """Return a function that writes tables and reads them."""

    def model(tables, delivery, **options):
        delivery.to_csv(tmp_path / "delivery.csv", index=False)
        table = read_delivery(tmp_path / "delivery.csv", COLUMNS)
        return read_robyn(write_robyn(tmp_path / "robyn", tables), table, RobynOptions(**options))

    return model


@pytest.fixture
def refusal(read):
    """Return a function that returns the refusal of tables."""

    def of(tables, delivery, **options):
        with pytest.raises(DataError) as caught:
            read(tables, delivery, **options)
        (finding,) = caught.value.findings
        assert finding.remedy
        return finding

    return of


def test_contributions_and_transforms_of_one_solution(read):
    tables, delivery = robyn_tables()
    found = read(tables, delivery)
    told = tables[DECOMPOSED][["TV", "Search"]].to_numpy()
    np.testing.assert_array_equal(found.contributions[0, 0, :, 0], told)
    assert not found.has_draws
    assert found.geos is None
    assert found.history == ("2024-01-01", "2024-01-08")
    assert found.transforms["TV"].adstock.decay == 0.4
    assert not found.transforms["TV"].adstock.normalise
    assert found.transforms["Search"].saturation.slope == 2.0
    assert found.facts["solution"] == "1_172_8"
    assert found.facts["delivery_compared"]
    assert max(found.facts["largest_disproportion"].values()) < 1e-12
    assert np.isnan(found.delivery[:2]).all()
    assert np.isfinite(found.delivery[2:]).all()


def test_without_the_table_of_media_nothing_is_compared(read):
    tables, delivery = robyn_tables()
    del tables[MEDIA]
    found = read(tables, delivery)
    assert found.delivery is None
    assert not found.facts["delivery_compared"]


def test_the_solution_that_was_named_is_read(read):
    tables, delivery = robyn_tables(solutions=("1_2_3", "4_5_6"))
    found = read(tables, delivery, solution="4_5_6")
    mine = tables[DECOMPOSED]["solID"] == "4_5_6"
    told = tables[DECOMPOSED].loc[mine, "TV"].to_numpy()
    np.testing.assert_array_equal(found.contributions[0, 0, :, 0, 0], told)


def test_several_solutions_are_no_draws(refusal):
    finding = refusal(*robyn_tables(solutions=("1_2_3", "4_5_6")))
    assert finding.code == "several-solutions"
    assert "'1_2_3' and '4_5_6'" in finding.message
    assert "--solution" in finding.remedy


def test_a_solution_that_is_not_there(refusal):
    finding = refusal(*robyn_tables(), solution="1_172_9")
    assert finding.code == "unknown-solution"
    assert "did you mean '1_172_8'?" in finding.remedy


@pytest.mark.parametrize(
    ("kind", "made"), [("weibull_cdf", WeibullCdfAdstock), ("weibull_pdf", WeibullPdfAdstock)]
)
def test_weibull_adstocks(read, kind, made):
    tables, delivery = robyn_tables()
    parameters = tables[PARAMETERS].drop(columns=["TV_thetas", "Search_thetas"])
    tables[PARAMETERS] = parameters.assign(
        TV_shapes=2.0, TV_scales=0.2, Search_shapes=0.0, Search_scales=0.1
    )
    found = read(tables, delivery, weibull=kind)
    assert found.transforms["TV"].adstock == made(3.0, 2.0, 12, normalise=False)  # 1 + 11 * .2
    assert found.transforms["Search"].adstock == NoAdstock()


def test_which_weibull_has_to_be_told(refusal):
    tables, delivery = robyn_tables()
    parameters = tables[PARAMETERS].drop(columns=["TV_thetas"])
    tables[PARAMETERS] = parameters.assign(TV_shapes=2.0, TV_scales=0.2)
    finding = refusal(tables, delivery)
    assert finding.code == "unknown-adstock"
    assert "--robyn-adstock" in finding.remedy


@pytest.mark.parametrize("name", [DECOMPOSED, PARAMETERS])
def test_a_missing_file(refusal, name):
    tables, delivery = robyn_tables()
    del tables[name]
    finding = refusal(tables, delivery)
    assert finding.code == "missing-file"
    assert finding.where == name


@pytest.mark.parametrize(
    ("name", "column"),
    [
        (DECOMPOSED, "solID"),
        (DECOMPOSED, "ds"),
        (DECOMPOSED, "Search"),
        (PARAMETERS, "solID"),
        (PARAMETERS, "TV_gammas"),
        (MEDIA, "type"),
        (MEDIA, "Search"),
    ],
)
def test_a_missing_column(refusal, name, column):
    tables, delivery = robyn_tables()
    tables[name] = tables[name].drop(columns=column)
    finding = refusal(tables, delivery)
    assert finding.code == "missing-column"
    assert finding.where == name
    assert f"'{column}'" in finding.message


def test_no_channels_at_all(refusal):
    tables, delivery = robyn_tables()
    tables[PARAMETERS] = tables[PARAMETERS].drop(columns=["TV_alphas", "Search_alphas"])
    assert "'<channel>_alphas'" in refusal(tables, delivery).message


def test_cells_that_are_no_numbers(refusal):
    tables, delivery = robyn_tables()
    tables[DECOMPOSED]["TV"] = tables[DECOMPOSED]["TV"].astype(object)
    tables[DECOMPOSED].loc[3, "TV"] = "1,5"
    finding = refusal(tables, delivery)
    assert finding.code == "not-a-number"
    assert finding.message == "not a number: line 5: '1,5'"


def test_rows_that_repeat(refusal):
    tables, delivery = robyn_tables()
    tables[DECOMPOSED].loc[1, "ds"] = tables[DECOMPOSED].loc[0, "ds"]
    finding = refusal(tables, delivery)
    assert finding.code == "repeated-rows"
    assert finding.where == f"{DECOMPOSED}, lines 2 and 3"


@pytest.mark.parametrize(
    ("column", "value"), [("TV_thetas", 1.2), ("TV_alphas", -1.0), ("TV_gammas", 1.4)]
)
def test_parameters_out_of_range(refusal, column, value):
    tables, delivery = robyn_tables()
    tables[PARAMETERS][column] = value
    finding = refusal(tables, delivery)
    assert finding.code == "bad-parameter"
    assert "'TV'" in finding.message
    assert f"{value:g}" in finding.message


def test_media_of_other_periods(refusal):
    tables, delivery = robyn_tables()
    tables[MEDIA] = tables[MEDIA].iloc[:-1]
    finding = refusal(tables, delivery)
    assert finding.code == "periods-differ"


def test_a_file_that_is_no_table(tmp_path):
    tables, delivery = robyn_tables()
    write_robyn(tmp_path / "robyn", tables)
    delivery.to_csv(tmp_path / "delivery.csv", index=False)
    (tmp_path / "robyn" / DECOMPOSED).write_bytes(b"solID,ds\n\xff\xfe\n")
    table = read_delivery(tmp_path / "delivery.csv", COLUMNS)
    with pytest.raises(DataError, match="cannot be read"):
        read_robyn(tmp_path / "robyn", table, RobynOptions())


def test_contributions_of_another_curve_are_told(read):
    tables, delivery = robyn_tables()
    tables[PARAMETERS]["TV_thetas"] = 0.8
    found = read(tables, delivery)
    assert found.facts["largest_disproportion"]["TV"] > 0.05
    assert found.facts["largest_disproportion"]["Search"] < 1e-12
