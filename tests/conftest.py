"""Fixtures shared by all tests: the shipped data, and one small fit."""

from pathlib import Path

import pytest

from bayes_attrib.inference.density.cache import CACHE_VARIABLE
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.spec import load_spec, parse_plain

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Compiled code is shared by the tests of a session, and not with the user's own runs."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("compiled")
        folder.chmod(0o700)
        patch.setenv(CACHE_VARIABLE, str(folder))
        yield


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def coupon_spec():
    """The shipped spec with fewer draws: enough for plumbing, not for a verdict of ok."""
    plain = load_spec(ROOT / "models" / "coupon_campaigns.toml").model_dump(mode="json")
    plain["inference"] |= {"draws": 60, "tune": 150, "chains": 3, "target_accept": 0.9}
    return parse_plain(plain, source="test")


@pytest.fixture(scope="session")
def coupon_source():
    return DataSource(folder=ROOT / "data" / "coupon_campaigns")


@pytest.fixture(scope="session")
def coupon_tables(coupon_spec, coupon_source):
    return read_tables(coupon_spec, coupon_source)
