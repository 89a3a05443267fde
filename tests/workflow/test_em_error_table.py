from __future__ import annotations

import importlib

import numpy as np

from bayes_attrib.baselines import fit_em, information_errors
from bayes_attrib.inputs import AggregateData
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow import em_errors
from bayes_attrib.workflow.em_errors import em_error_table

SPEC = ModelSpec.model_validate(
    {
        "schema_version": 1,
        "name": "test",
        "columns": {"aggregate": ("aggregate",), "entity": "entity"},
        "likelihood": {"family": "poisson"},
    }
)


def test_errors_too_large_to_compute_are_missing(monkeypatch):
    """A run of many entities is written all the same."""
    data = AggregateData.from_dense([[2, 1], [1, 3], [1, 1]], [40, 60, 30])
    em = fit_em(data)
    monkeypatch.setattr(em_errors, "MOST_PAIRS", 0)
    whole = em_error_table(data, SPEC, em)
    np.testing.assert_array_equal(
        whole["em_information_se"], information_errors(data, em).amount_se
    )
    module = importlib.import_module("bayes_attrib.baselines.information_errors")
    monkeypatch.setattr(module, "MOST_ELEMENTS", 3)
    missing = em_error_table(data, SPEC, em)
    assert list(missing.columns) == list(whole.columns)
    np.testing.assert_array_equal(missing["em_amount"], em.entity_amount)
    assert missing.filter(regex="_(se|lower|upper)$").isna().all(axis=None)
