"""Exports of Meridian: what is read, and every way in which they can be wrong."""

import numpy as np
import pytest
from mmm_exports import meridian_dataset

from bayes_attrib.errors import DataError
from bayes_attrib.exposure import BinomialAdstock, GeometricAdstock
from bayes_attrib.mmm import read_meridian


@pytest.fixture
def refusal(tmp_path):
    """Return a function that writes an export and returns its refusal."""

    def of(data):
        data.to_netcdf(tmp_path / "meridian.nc", engine="h5netcdf")
        with pytest.raises(DataError) as caught:
            read_meridian(tmp_path / "meridian.nc")
        (finding,) = caught.value.findings
        assert finding.remedy
        assert "meridian.nc" in finding.where
        return finding

    return of


def written(tmp_path, data):
    data.to_netcdf(tmp_path / "meridian.nc", engine="h5netcdf")
    return read_meridian(tmp_path / "meridian.nc")


def test_outcomes_parameters_scales_and_history(tmp_path):
    data = meridian_dataset()
    found = written(tmp_path, data)
    told = data["incremental_outcome"].transpose("chain", "draw", "time", "geo", "channel")
    np.testing.assert_array_equal(found.contributions, told.to_numpy())
    assert found.geos == ("north", "south")
    assert found.history == ("2024-01-01", "2024-01-08")
    assert found.periods[0] == "2024-01-15"
    mean = data.sel(media_channel="Search")[["alpha_m", "ec_m", "slope_m"]].mean()
    south = found.transforms["Search", "south"]
    assert isinstance(south.adstock, GeometricAdstock)
    assert south.adstock.decay == pytest.approx(float(mean["alpha_m"]))
    assert south.adstock.l_max == 4
    assert south.adstock.normalise
    assert south.saturation.half_saturation == pytest.approx(float(mean["ec_m"]))
    assert south.saturation.slope == pytest.approx(float(mean["slope_m"]))
    assert south.scale == pytest.approx(100.0, rel=1e-6)
    assert not south.saturation_first
    np.testing.assert_array_equal(
        found.parameter_draws["TV", None, "ec_m"], data["ec_m"].to_numpy()[:, :, 0].ravel()
    )


def test_a_national_model(tmp_path):
    found = written(tmp_path, meridian_dataset(geos=("national_geo",)))
    assert found.geos is None
    assert set(found.transforms) == {"TV", "Search"}


def test_binomial_carry_over_and_hill_first(tmp_path):
    data = meridian_dataset()
    data.attrs |= {"adstock_decay": "binomial", "hill_before_adstock": "True", "max_lag": 40}
    transform = written(tmp_path, data).transforms["TV", "north"]
    assert isinstance(transform.adstock, BinomialAdstock)
    assert transform.adstock.l_max == 12
    assert transform.adstock.horizon == 41
    assert transform.saturation_first


def test_channels_without_media_are_left_out_and_named(tmp_path):
    data = meridian_dataset()
    more = data["incremental_outcome"].isel(channel=[0, 1, 1])
    data = data.drop_dims("channel").assign(
        incremental_outcome=more.assign_coords(channel=["TV", "Search", "YouTube RF"])
    )
    found = written(tmp_path, data)
    assert found.channels == ("TV", "Search")
    assert found.facts["channels_left_out"] == ["YouTube RF"]


@pytest.mark.parametrize(
    "name", ["incremental_outcome", "alpha_m", "ec_m", "slope_m", "media", "media_scaled"]
)
def test_a_missing_variable(refusal, name):
    finding = refusal(meridian_dataset().drop_vars(name))
    assert finding.code in ("missing-variable", "unexpected-dimensions")
    assert name in f"{finding.where} {finding.message}"


@pytest.mark.parametrize("name", ["max_lag", "hill_before_adstock", "adstock_decay"])
def test_a_missing_attribute(refusal, name):
    data = meridian_dataset()
    del data.attrs[name]
    assert refusal(data).message == f"there is no attribute '{name}'"


def test_outcomes_summed_over_time(refusal):
    data = meridian_dataset()
    whole = data["incremental_outcome"].sum("geo")
    finding = refusal(data.drop_vars("incremental_outcome").assign(incremental_outcome=whole))
    assert finding.code == "unexpected-dimensions"


def test_a_channel_without_outcome(refusal):
    data = meridian_dataset().isel(channel=[0])
    finding = refusal(data)
    assert finding.code == "channels-differ"
    assert "'Search'" in finding.message


def test_media_that_end_earlier(refusal):
    data = meridian_dataset()
    finding = refusal(data.isel(media_time=slice(None, -1)))
    assert finding.code == "periods-differ"


def test_media_of_another_scale(refusal):
    data = meridian_dataset()
    scaled = data["media_scaled"].to_numpy().copy()
    scaled[1, 4, 0] = scaled[1, 4, 0] * 1.5 + 0.1
    finding = refusal(data.assign(media_scaled=data["media_scaled"].copy(data=scaled)))
    assert finding.code == "scales-disagree"
    assert "'TV' in geo 'south'" in finding.message


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("max_lag", -1, "invalid-attribute"),
        ("max_lag", 2.5, "invalid-attribute"),
        ("adstock_decay", "weibull", "unknown-transform"),
    ],
)
def test_wrong_attributes(refusal, name, value, code):
    data = meridian_dataset()
    data.attrs[name] = value
    finding = refusal(data)
    assert finding.code == code
    assert str(value) in finding.message


def test_outcomes_that_are_not_finite(refusal):
    data = meridian_dataset()
    values = data["incremental_outcome"].to_numpy().copy()
    values[0, 0, 0, 0, 0] = np.inf
    broken = data["incremental_outcome"].copy(data=values)
    assert refusal(data.assign(incremental_outcome=broken)).code == "not-finite"


def test_labels_that_repeat(refusal):
    data = meridian_dataset().assign_coords(geo=["north", "north"])
    finding = refusal(data)
    assert finding.code == "repeated-labels"
    assert "'north'" in finding.message


def test_dimensions_without_labels(refusal):
    finding = refusal(meridian_dataset().drop_vars("time"))
    assert finding.code == "missing-labels"
    assert "'time'" in finding.message
