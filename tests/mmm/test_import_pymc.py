"""A fit that PyMC-Marketing saved: what is read, and every way in which it can be wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from mmm_exports import PYMC_FILE, pymc_tree

from bayes_attrib import exposure as ex
from bayes_attrib.errors import DataError
from bayes_attrib.mmm import read_pymc_marketing
from bayes_attrib.mmm.pymc_curves import OLDER_NAMES, PYMC_ADSTOCKS, PYMC_SATURATIONS

REFERENCE = json.loads((Path(__file__).parent / "components.json").read_text())
VALUES = REFERENCE["values"]


@pytest.fixture
def spoilt(tmp_path):
    """Return a function that writes the saved fit after a change and returns its refusal."""

    def refusal(change):
        tree = pymc_tree()
        changed = change(tree)
        path = tmp_path / "fit.nc"
        (tree if changed is None else changed).to_netcdf(path, engine="h5netcdf")
        with pytest.raises(DataError) as caught:
            read_pymc_marketing(path)
        (finding,) = caught.value.findings
        assert finding.remedy
        assert "fit.nc" in finding.where
        return finding

    return refusal


def in_group(tree, name, change):
    groups = {key: node.to_dataset() for key, node in tree.children.items()}
    groups[name] = change(groups[name])
    changed = xr.DataTree.from_dict(groups)
    changed.attrs = dict(tree.attrs)
    return changed


def set_attribute(key, value):
    def change(tree):
        tree.attrs[key] = value

    return change


def test_contributions_scales_dates_and_transforms_are_those_of_the_file():
    found = read_pymc_marketing(PYMC_FILE)
    tree = pymc_tree()
    posterior = tree["posterior"].to_dataset()
    told = posterior["channel_contribution_original_scale"].to_numpy()
    np.testing.assert_allclose(found.contributions, told, rtol=1e-12)
    assert found.facts["largest_reconstruction_error"] < 1e-12
    assert found.channels == ("TV", "Search")
    assert found.geos == ("north", "south")
    assert found.periods[:2] == ("2024-01-01", "2024-01-08")
    assert found.has_draws
    assert found.n_draws == 20
    north = found.transforms["TV", "north"]
    mean = posterior.sel(channel="TV", geo="north").mean(("chain", "draw"))
    assert isinstance(north.adstock, ex.GeometricAdstock)
    assert north.adstock.decay == pytest.approx(float(mean["adstock_alpha"]))
    assert north.adstock.l_max == 4
    assert north.saturation.steepness == pytest.approx(float(mean["saturation_lam"]))
    assert north.scale == float(tree["constant_data"]["channel_scale"].sel(channel="TV"))
    assert not north.saturation_first
    draws = found.parameter_draws["Search", "south", "saturation_beta"]
    np.testing.assert_array_equal(
        draws, posterior["saturation_beta"].sel(channel="Search", geo="south").to_numpy().ravel()
    )


def test_contributions_on_the_original_scale_alone_do(tmp_path):
    tree = in_group(pymc_tree(), "posterior", lambda g: g.drop_vars("channel_contribution"))
    tree.to_netcdf(tmp_path / "fit.nc", engine="h5netcdf")
    found = read_pymc_marketing(tmp_path / "fit.nc")
    np.testing.assert_allclose(found.contributions, read_pymc_marketing(PYMC_FILE).contributions)
    assert found.facts["contributions_from"] == "channel_contribution_original_scale"


def test_a_national_model_has_transforms_by_channel(tmp_path):
    tree = pymc_tree()
    for name in ("posterior", "constant_data"):
        tree = in_group(tree, name, lambda g: g.isel(geo=0, drop=True) if "geo" in g.dims else g)
    tree.attrs["dims"] = "[]"
    tree.to_netcdf(tmp_path / "fit.nc", engine="h5netcdf")
    found = read_pymc_marketing(tmp_path / "fit.nc")
    whole = read_pymc_marketing(PYMC_FILE)
    assert found.geos is None
    assert set(found.transforms) == {"TV", "Search"}
    assert found.transforms["TV"] == whole.transforms["TV", "north"]
    np.testing.assert_array_equal(found.contributions, whole.contributions[:, :, :, :1])


def test_half_lives_and_older_names_of_transforms_are_read(tmp_path):
    def halved(group):
        alpha = group["adstock_alpha"]
        half = np.log(0.5) / np.log(alpha)
        return group.drop_vars("adstock_alpha").assign(adstock_halflife=half)

    tree = in_group(pymc_tree(), "posterior", halved)
    tree.attrs["adstock"] = json.dumps({"lookup_name": "geometric", "l_max": 4, "mode": "After"})
    tree.attrs["saturation"] = json.dumps({"lookup_name": "logistic"})
    del tree.attrs["link"]
    tree.to_netcdf(tmp_path / "fit.nc", engine="h5netcdf")
    found, whole = read_pymc_marketing(tmp_path / "fit.nc"), read_pymc_marketing(PYMC_FILE)
    assert found.transforms["TV", "north"].adstock.decay == pytest.approx(
        whole.transforms["TV", "north"].adstock.decay
    )
    assert set(OLDER_NAMES.values()) == {*PYMC_ADSTOCKS, *PYMC_SATURATIONS}


@pytest.mark.parametrize("name", PYMC_ADSTOCKS)
def test_weights_over_draws_are_those_of_single_adstocks(name):
    kind = PYMC_ADSTOCKS[name]
    values = {key: VALUES[key] for key in kind.parameters}
    many = {key: np.full((2, 3), value) for key, value in values.items()}
    made = kind.made(values, 6, True).weights()
    weights = ex.normalised(kind.weights(many, 6))
    np.testing.assert_allclose(weights, np.broadcast_to(made, weights.shape), rtol=1e-12)


@pytest.mark.parametrize("name", PYMC_SATURATIONS)
def test_curves_are_multiples_of_single_saturations(name):
    kind = PYMC_SATURATIONS[name]
    values = {key: VALUES[key] for key in kind.parameters}
    x = np.linspace(0.1, 3.0, 7)
    ratio = kind.curve(x, values) / kind.made(values).of(x)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
    assert ratio[0] > 0


def test_components_compute_what_the_package_computes():
    x, n_lags = np.array(REFERENCE["delivery"]), REFERENCE["l_max"]
    for name, kind in PYMC_ADSTOCKS.items():
        values = {key: VALUES[key] for key in kind.parameters}
        found = ex.carry_over(x, ex.normalised(kind.weights(values, n_lags)))
        np.testing.assert_allclose(found, REFERENCE["results"][name], rtol=1e-12, err_msg=name)
    for name, kind in PYMC_SATURATIONS.items():
        values = {key: VALUES[key] for key in kind.parameters}
        found = kind.curve(x, values)
        np.testing.assert_allclose(found, REFERENCE["results"][name], rtol=1e-12, err_msg=name)
    assert set(REFERENCE["results"]) == {*PYMC_ADSTOCKS, *PYMC_SATURATIONS}


def test_a_log_link_is_refused(spoilt):
    finding = spoilt(set_attribute("link", "log"))
    assert finding.code == "unsupported-link"
    assert "'log'" in finding.message


@pytest.mark.parametrize(
    ("key", "value", "code", "said"),
    [
        ("time_varying_media", "true", "time-varying-media", "varies in time"),
        ("dims", '["geo", "product"]', "too-many-dimensions", "geo and product"),
        ("adstock", "{broken", "invalid-attribute", "{broken"),
        ("adstock", '{"__type__": "a.OwnAdstock"}', "unknown-transform", "'OwnAdstock'"),
        ("saturation", '{"lookup_name": "own"}', "unknown-transform", "'own'"),
        ("saturation", "{}", "unknown-transform", "does not tell"),
    ],
)
def test_settings_that_cannot_be_imported(spoilt, key, value, code, said):
    finding = spoilt(set_attribute(key, value))
    assert finding.code == code
    assert said in finding.message


def test_carry_over_before_delivery_is_refused(spoilt):
    def change(tree):
        tree.attrs["adstock"] = json.dumps({**json.loads(tree.attrs["adstock"]), "mode": "Overlap"})

    assert spoilt(change).code == "unknown-mode"


def test_a_missing_attribute(spoilt):
    def change(tree):
        del tree.attrs["saturation"]

    assert spoilt(change).message == "there is no attribute 'saturation'"


@pytest.mark.parametrize("group", ["posterior", "constant_data"])
def test_a_missing_group(spoilt, group):
    def change(tree):
        del tree[group]

    finding = spoilt(change)
    assert finding.code == "missing-group"
    assert f"'{group}'" in finding.message


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("posterior", "adstock_alpha"),
        ("posterior", "saturation_beta"),
        ("constant_data", "channel_scale"),
        ("constant_data", "target_scale"),
        ("constant_data", "channel_data"),
    ],
)
def test_a_missing_variable(spoilt, group, name):
    finding = spoilt(lambda tree: in_group(tree, group, lambda g: g.drop_vars(name)))
    assert finding.code == "missing-variable"
    assert f"'{name}'" in finding.message
    assert group in finding.where


def test_swapped_labels_are_found_by_making_the_contributions_again(spoilt):
    def swap(group):
        beta = group["saturation_beta"]
        return group.assign(saturation_beta=beta.copy(data=beta.to_numpy()[..., ::-1]))

    finding = spoilt(lambda tree: in_group(tree, "posterior", swap))
    assert finding.code == "contributions-disagree"
    assert "parameters and delivery give" in finding.message
    assert "releases" in finding.remedy


def test_a_wrong_scale_of_the_target_is_found(spoilt):
    def change(group):
        return group.assign(target_scale=group["target_scale"] * 1.001)

    finding = spoilt(lambda tree: in_group(tree, "constant_data", change))
    assert finding.code == "contributions-disagree"
    assert "channel_contribution_original_scale in the same file" in finding.message


def test_contributions_that_are_not_finite(spoilt):
    def change(group):
        values = group["channel_contribution"].to_numpy().copy()
        values[1, 3, 2, 0, 1] = np.nan
        return group.assign(channel_contribution=group["channel_contribution"].copy(data=values))

    finding = spoilt(lambda tree: in_group(tree, "posterior", change))
    assert finding.code == "not-finite"
    assert "chain 1, draw 3, date 2, geo 0, channel 1" in finding.message


def test_contributions_without_dates(spoilt):
    def change(group):
        return group.assign(channel_contribution=group["channel_contribution"].sum("date"))

    finding = spoilt(lambda tree: in_group(tree, "posterior", change))
    assert finding.code == "unexpected-dimensions"


def test_dates_of_other_data(spoilt):
    def change(group):
        return group.assign_coords(date=group["date"] + np.timedelta64(7, "D"))

    finding = spoilt(lambda tree: in_group(tree, "constant_data", change))
    assert finding.code == "labels-differ"
    assert "'2024-01-01' and '2024-01-08'" in finding.message


def test_no_file_and_no_netcdf(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_pymc_marketing(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("no netCDF")
    with pytest.raises(DataError, match="cannot be read as netCDF"):
        read_pymc_marketing(tmp_path / "text.nc")
