"""The example of docs/priors.md runs as it stands, and fails as it says."""

import re
import textwrap

import pytest

import bayes_attrib as ba
from bayes_attrib.testing import ModelAssertionError, assert_prior_totals_within


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs/priors.md").read_text(encoding="utf-8")


def test_the_example_passes(page, root, monkeypatch):
    monkeypatch.chdir(root)
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    scope = {}
    exec(code, scope)  # noqa: S102, our own page
    scope["test_priors_of_the_brick_model"]()


def test_the_failure_reads_as_shown(page, root):
    spec = ba.load_spec(root / "models/hcp_brick.toml")
    data = ba.read_tables(spec, ba.DataSource(root / "data/hcp_brick")).data
    prior = ba.sample_prior(data, spec, draws=500, seed=1)
    with pytest.raises(ModelAssertionError) as failure:
        assert_prior_totals_within(prior, 20, 1_000)
    assert textwrap.indent(str(failure.value), "    ") in page
