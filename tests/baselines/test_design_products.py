from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bayes_attrib.baselines import design_products
from bayes_attrib.baselines.design_products import DesignProducts

RNG = np.random.default_rng(1)
CODES = np.arange(120) % 5
GROUPS = np.column_stack([np.ones(120), np.eye(5)[CODES]])
DESIGNS = {
    "groups": GROUPS,
    "sparse groups": sp.csr_array(GROUPS),
    "dense covariates": np.column_stack([np.ones(120), RNG.normal(size=(120, 2))]),
    "one group each": sp.csr_array(np.eye(120)),
    "two columns that cancel": sp.csr_array(np.column_stack([CODES, -CODES])),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_products_are_those_of_the_whole_design(name):
    design = DESIGNS[name]
    dense = design.toarray() if sp.issparse(design) else design
    products = DesignProducts(design)
    coefficients, per_entity = RNG.normal(size=dense.shape[1]), RNG.normal(size=120)
    np.testing.assert_allclose(products.forward(coefficients), dense @ coefficients, atol=1e-13)
    np.testing.assert_allclose(products.backward(per_entity), dense.T @ per_entity, atol=1e-13)


def test_rows_that_only_look_alike_are_told_apart(monkeypatch):
    """Where the random vector is orthogonal to the difference of two rows, all rows are used."""

    class Unlucky:
        def standard_normal(self, n):
            return np.ones(n)

    monkeypatch.setattr(design_products.np.random, "default_rng", lambda _: Unlucky())
    design = np.tile([[1.0, 0.0], [0.0, 1.0]], (50, 1))
    np.testing.assert_array_equal(DesignProducts(design).forward(np.array([2.0, 3.0])), [2, 3] * 50)
