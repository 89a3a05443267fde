r"""Density of a latent field given hyperparameters, with products of its Hessian.

Let x be the standard normals of :mod:`bayes_attrib.model.latent_field`, S their prior sds, C the
map that centres blocks that sum to zero, and Z the design that adds coarse effects to the entities'
own, so that :math:`\lambda = r_0 \exp(Z S C x + m)` with prior means m. Minus the log density is

.. math:: f(x) = \tfrac12 x'x - \sum_b \ell_b(\mu_b), \qquad \mu = W \lambda .

With :math:`u = Z S C v` the change of the log rates along a direction v, and
:math:`h_e = \lambda_e \sum_b w_{eb} \ell_b'`, gradient and Hessian are

.. math:: \nabla f = x - C' S Z' h, \qquad
    \nabla^2 f\, v = v - C' S Z' \bigl[ h \circ u
    + \lambda \circ W' (\ell'' \circ W (\lambda \circ u)) \bigr] ,

which takes one product with W and one with its transpose. Families give :math:`\ell'` in closed
form; :math:`\ell''` is its central difference, right to ten digits. Where the Hessian is not
positive, minus the Fisher information in the place of :math:`\ell''`, without the term in h, makes
it so.

The preconditioner is what conjugate gradients need to take the same number of products at any size:
the diagonal for the entities' own effects, and the dense block of the Fisher information for all
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve

from bayes_attrib.baselines.conjugate_gradients import Linear
from bayes_attrib.baselines.design_products import DesignProducts
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families import Family
from bayes_attrib.model.latent_field import LatentField

STEP: Final = 1e-5
"""Relative change of an expected total over which a score is differenced."""

LARGEST_BLOCK: Final = 1500
"""Coarse effects up to which their block of the preconditioner is dense."""


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """A point, and what the density says there.

    Attributes
    ----------
    x : ndarray of float, shape (size,)
        Standard normals.
    rate : ndarray of float, shape (n_entities,)
        Rates.
    expected : ndarray of float, shape (n_aggregates,)
        Expected totals.
    loss : float
        Minus the log density of totals and field, but for the constants of the field's; infinite
        where rates overflow.
    """

    x: FloatArray
    rate: FloatArray
    expected: FloatArray
    loss: float


class FieldDensity:
    """Minus the log density of totals and field, given the hyperparameters.

    Parameters
    ----------
    field : LatentField
        Designs, exposures and totals; without an edge design.
    family : Family
        Noise of the totals.
    values : mapping of str to float
        Hyperparameters: the sd of every block that has one, and the family's parameters.
    """

    def __init__(self, field: LatentField, family: Family, values: Mapping[str, float]) -> None:
        self.field = field
        self.scale = field.scale(values)
        """Prior sd of every effect, shape (size,)."""
        self.n_products = 0
        """Products with the exposures or their transpose so far."""
        self._family = family
        self._noise = {name: values[name] for name in family.parameters}
        self._k = field.n_coarse
        self._design = DesignProducts(field.design)
        self._transpose = field.exposure.T
        squared = field.exposure.copy()
        squared.data = squared.data**2
        self._squared = squared.T

    def effects(self, x: FloatArray) -> FloatArray:
        """Return the effects that standard normals stand for, shape (size,)."""
        return self.field.effects(x[:, np.newaxis], self.scale)[:, 0]

    def log_rate(self, x: FloatArray) -> FloatArray:
        """Return the log rates, shape (n_entities,)."""
        effects = self.effects(x)
        coarse = self._design.forward(effects[: self._k])
        return self.field.log_reference_rate + coarse + effects[self._k :]

    def look(self, x: FloatArray) -> Place:
        """Evaluate the density at standard normals of shape (size,)."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            rate = np.exp(self.log_rate(x))
            expected = self._sum_over_entities(rate)
            loss = 0.5 * float(x @ x) - self.log_likelihood(expected)
        return Place(x, rate, expected, loss if np.isfinite(loss) else np.inf)

    def log_likelihood(self, expected: FloatArray) -> float:
        """Log density of the totals, with all constants, given their expectations."""
        return float(self._of_family(self._family.log_density, expected).sum())

    def log_density(self, at: Place) -> float:
        """Log density of totals and effects, each effect on its own scale, with all constants."""
        found = -at.loss
        for block in self.field.blocks:
            free = block.size - int(block.sums_to_zero)
            found -= free * float(np.log(self.scale[block.span.start]) + 0.5 * np.log(2 * np.pi))
        return found

    def slope(self, at: Place) -> FloatArray:
        """Return h, the slope of the log-likelihood by the log rates, shape (n_entities,)."""
        score = self._of_family(self._family.score, at.expected)
        return at.rate * self._sum_over_aggregates(score)

    def gradient(self, at: Place, slope: FloatArray) -> FloatArray:
        """Return the gradient of the loss, shape (size,)."""
        return at.x - self._pull_back(slope)

    def hessian(self, at: Place, slope: FloatArray) -> Linear:
        """Return the Hessian of the loss as a linear map."""
        curvature = -self._second_derivative(at.expected)
        return self._curved(at.rate, curvature, -slope)

    def fisher(self, at: Place) -> Linear:
        """Return the expected Hessian of the loss, which is positive definite."""
        return self._curved(at.rate, self._information(at.expected), None)

    def precondition(self, at: Place) -> Linear:
        """Return a map near the inverse of the Hessian."""
        k, information = self._k, self._information(at.expected)
        own = (self.scale[k:] * at.rate) ** 2 * np.asarray(self._squared @ information)
        diagonal = 1.0 + own
        coarse = self._coarse_block(at, information)

        def apply(residual: FloatArray) -> FloatArray:
            """Divide by the blocks."""
            result = np.empty_like(residual)
            result[:k] = coarse(residual[:k])
            np.divide(residual[k:], diagonal, out=result[k:])
            return result

        return apply

    def _coarse_block(self, at: Place, information: FloatArray) -> Linear:
        k, scale = self._k, self.scale[: self._k]
        root = np.sqrt(information)[:, np.newaxis]
        design = self.field.design
        if sp.issparse(design):
            weighted = sp.csr_array(sp.diags_array(at.rate) @ design)
            slopes = sp.csr_array(self.field.exposure @ weighted).multiply(root).tocsr()
        else:
            slopes = (self.field.exposure @ (design * at.rate[:, np.newaxis])) * root
        self.n_products += 1
        if k > LARGEST_BLOCK:
            diagonal = 1.0 + np.asarray((slopes**2).sum(axis=0)).ravel() * scale**2
            return lambda residual: residual / diagonal
        gram = slopes.T @ slopes
        gram = (gram.toarray() if sp.issparse(gram) else gram) * scale * scale[:, np.newaxis]
        gram = self.field.centre(self.field.centre(gram).T)
        gram[np.diag_indices_from(gram)] += 1.0
        factor = cho_factor(gram, lower=True)
        return lambda residual: np.asarray(cho_solve(factor, residual))

    def _curved(
        self, rate: FloatArray, curvature: FloatArray, diagonal: FloatArray | None
    ) -> Linear:
        def product(v: FloatArray) -> FloatArray:
            """Multiply with the Hessian, by two products with the exposures."""
            change = self._push_forward(v)
            bent = curvature * self._sum_over_entities(rate * change)
            image = rate * self._sum_over_aggregates(bent)
            if diagonal is not None:
                image += diagonal * change
            return v + self._pull_back(image)

        return product

    def _push_forward(self, v: FloatArray) -> FloatArray:
        """Change of the log rates along a direction: Z S C v."""
        k = self._k
        change = self._design.forward(self.scale[:k] * self.field.centre(v[:k]))
        change += self.scale[-1] * v[k:]
        return change

    def _pull_back(self, per_entity: FloatArray) -> FloatArray:
        """Transpose of that: C' S Z' times a value per entity."""
        k, found = self._k, np.empty(self.field.size)
        found[:k] = self.scale[:k] * self.field.centre(self._design.backward(per_entity))
        np.multiply(per_entity, self.scale[-1], out=found[k:])
        return found

    def _sum_over_entities(self, per_entity: FloatArray) -> FloatArray:
        self.n_products += 1
        return np.asarray(self.field.exposure @ per_entity)

    def _sum_over_aggregates(self, per_aggregate: FloatArray) -> FloatArray:
        self.n_products += 1
        return np.asarray(self._transpose @ per_aggregate)

    def _second_derivative(self, expected: FloatArray) -> FloatArray:
        score = self._family.score
        above, below = (self._of_family(score, expected * (1 + h)) for h in (STEP, -STEP))
        return (above - below) / (2 * STEP * expected)

    def _information(self, expected: FloatArray) -> FloatArray:
        return np.asarray(self._family.information(expected[:, np.newaxis], self._noise)[:, 0])

    def _of_family(self, function: Any, expected: FloatArray) -> FloatArray:
        totals = self.field.totals[:, np.newaxis]
        return np.asarray(function(totals, expected[:, np.newaxis], self._noise)[:, 0])
