"""Expected totals of a latent field at given hyperparameters, and their derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families import Family
from bayes_attrib.model.latent_field import LatentField


@dataclass(frozen=True, eq=False)
class Expectations:
    """Expected totals at some fields, with what their derivatives need.

    Attributes
    ----------
    rates : ndarray, shape (n_entities, n_draws)
        Rates per unit of exposure.
    amounts : ndarray, shape (n_edges, n_draws), or None
        Expected amounts of the edges; None where rates and exposures say all.
    mu : ndarray, shape (n_aggregates, n_draws)
        Expected totals.
    """

    rates: FloatArray
    amounts: FloatArray | None
    mu: FloatArray


@dataclass(frozen=True, eq=False)
class FieldTarget:
    """Joint density of totals and field, the hyperparameters being known.

    Attributes
    ----------
    field : LatentField
        Designs, exposures and totals.
    family : Family
        Noise of the totals.
    scale : ndarray, shape (size,)
        Prior sd of every effect.
    noise : mapping of str to float or ndarray
        Parameters of the family, one for all draws or one for each.
    """

    field: LatentField
    family: Family
    scale: FloatArray
    noise: Mapping[str, Any]

    def expectations(self, x: FloatArray) -> Expectations:
        """Return the expected totals at standard normals, shape (size, n_draws)."""
        return self.expectations_of(self.field.effects(x, self.scale))

    def expectations_of(self, effects: FloatArray) -> Expectations:
        """Return the expected totals at effects, shape (size, n_draws)."""
        field = self.field
        rates = np.exp(field.log_rates(effects))
        if field.edge_design is None:
            return Expectations(rates, None, np.asarray(field.exposure @ rates))
        amounts = np.exp(field.edge_design @ effects[: field.n_coarse])
        amounts *= field.exposure.data[:, np.newaxis] * rates[field.exposure.indices]
        mu = np.add.reduceat(amounts, field.exposure.indptr[:-1], axis=0)
        return Expectations(rates, amounts, mu)

    def log_likelihood(self, found: Expectations) -> FloatArray:
        """Return the log density of all totals in every draw, shape (n_draws,)."""
        totals = self.field.totals[:, np.newaxis]
        return np.asarray(self.family.log_density(totals, found.mu, self.noise).sum(axis=0))

    def log_joint(self, x: FloatArray, found: Expectations | None = None) -> FloatArray:
        """Return log density of totals and field, but for (2 pi)**(-size / 2), shape (n_draws,)."""
        found = found or self.expectations(x)
        return self.log_likelihood(found) - 0.5 * np.einsum("ij,ij->j", x, x)

    def gradient(self, x: FloatArray, found: Expectations) -> FloatArray:
        """Return the gradient of the log joint density, shape (size, n_draws)."""
        return self.slope_by_effects(found) * self.scale[:, np.newaxis] - x

    def slope_by_effects(self, found: Expectations) -> FloatArray:
        """Return the slope of the log likelihood by all effects, shape (size, n_draws).

        Effects that sum to zero only move together: their slopes do so too.
        """
        field = self.field
        totals = field.totals[:, np.newaxis]
        score = self.family.score(totals, found.mu, self.noise)
        if found.amounts is None:
            by_entity = found.rates * (field.exposure_by_entity @ score)
            coarse = field.design.T @ by_entity
        else:
            lengths = np.diff(field.exposure.indptr)
            by_edge = found.amounts * np.repeat(score, lengths, axis=0)
            by_entity = self._sum_by_entity(by_edge)
            coarse = field.design.T @ by_entity + field.edge_design.T @ by_edge  # type: ignore[union-attr]
        return field.centre(np.vstack([coarse, by_entity]))

    def _sum_by_entity(self, values: FloatArray) -> FloatArray:
        field = self.field
        n_edges = len(field.exposure.data)
        position = (np.ones(n_edges), (field.exposure.indices, np.arange(n_edges)))
        return np.asarray(sp.csr_array(position, (field.exposure.shape[1], n_edges)) @ values)

    def linearise(self, found: Expectations) -> Linearised:
        """Return the derivatives of log expected totals at a single field."""
        field, mu = self.field, found.mu[:, 0]
        exposure = field.exposure
        amounts = (
            exposure.data * found.rates[exposure.indices, 0]
            if found.amounts is None
            else found.amounts[:, 0]
        )
        lengths = np.diff(exposure.indptr)
        shares = amounts / np.repeat(mu, lengths)
        matrix = sp.csr_array((shares, exposure.indices, exposure.indptr), exposure.shape)
        coarse = matrix @ field.design
        if field.edge_design is not None:
            n_edges = len(shares)
            average = sp.csr_array(
                (shares, np.arange(n_edges), exposure.indptr), (len(mu), n_edges)
            )
            coarse = coarse + average @ field.edge_design
            coarse = coarse.toarray() if sp.issparse(coarse) and _is_narrow(coarse) else coarse
        information = self.family.information(found.mu, self.noise)[:, 0] * mu**2
        return Linearised(field, self.scale, np.sqrt(information), matrix, coarse)


@dataclass(frozen=True, eq=False)
class Linearised:
    """Standardised derivatives of the log expected totals: G, with H = I + G' G the precision.

    G has the shape (n_aggregates, size); row b is the root of the Fisher information about log mu_b
    times the derivative of log mu_b by the field.

    Attributes
    ----------
    field : LatentField
        Tells which elements sum to zero.
    scale : ndarray, shape (size,)
        Prior sd of every effect.
    root : ndarray, shape (n_aggregates,)
        Root of the Fisher information about each log expected total.
    shares : csr_array, shape (n_aggregates, n_entities)
        Shares of the expected amounts.
    coarse : ndarray or csr_array, shape (n_aggregates, n_coarse)
        Derivatives of log expected totals by the effects that are not the entities' own.
    """

    field: LatentField
    scale: FloatArray
    root: FloatArray
    shares: sp.csr_array
    coarse: Any

    def forward(self, v: FloatArray) -> FloatArray:
        """Return G v, shape (n_aggregates, n_columns), for v of shape (size, n_columns)."""
        k = self.field.n_coarse
        product = self.shares @ v[k:]
        product *= self.scale[-1]
        product += self.coarse @ (self.field.centre(v[:k]) * self.scale[:k, np.newaxis])
        product *= self.root[:, np.newaxis]
        return np.asarray(product)

    def backward(self, u: FloatArray) -> FloatArray:
        """Return G' u, shape (size, n_columns), for u of shape (n_aggregates, n_columns)."""
        k = self.field.n_coarse
        weighted = self.root[:, np.newaxis] * u
        result = np.empty((self.field.size, u.shape[1]))
        result[:k] = self.field.centre(self.coarse.T @ weighted) * self.scale[:k, np.newaxis]
        np.multiply(self.shares.T @ weighted, self.scale[-1], out=result[k:])
        return result

    def dense_coarse(self) -> FloatArray:
        """Return the columns of G but the entities' own, shape (n_aggregates, n_coarse)."""
        k = self.field.n_coarse
        columns = self.coarse.toarray() if sp.issparse(self.coarse) else self.coarse
        scaled = self.field.centre((columns * self.scale[:k]).T).T
        return np.asarray(self.root[:, np.newaxis] * scaled)


def _is_narrow(matrix: Any) -> bool:
    return bool(matrix.shape[1] <= 64)
