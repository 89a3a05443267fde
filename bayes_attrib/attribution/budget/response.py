"""What a plan brings when the delivery of its entities is scaled up or down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.attribution.budget.plan import Plan
from bayes_attrib.exposure import ChannelTransform, NoSaturation, Saturation, build_exposures
from bayes_attrib.exposure.channel_transform import transform_for
from bayes_attrib.exposure.period_axis import read_axis
from bayes_attrib.timeline import arrange

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_NEXT_TO_NOTHING = 1e-9
"""Part of the plan's own delivery below which a curve is taken to be straight."""


@dataclass(frozen=True, eq=False)
class Response:
    """Exposure of entities as a function of the multiples of their planned delivery.

    With m the multiples, a the carried-over delivery of the plan and A = sum of m a over the
    entities of a place, an entity's exposure in a place is f(A) m a / A. A place is the channel in
    a cell, or the entity alone in a cell where it has its own curve: its exposure is f(m a) then.

    Attributes
    ----------
    carried : csr_array, shape (n_places, n_entities)
        Scaled delivery of the plan, carried over.
    curve : ndarray of int, shape (n_places,)
        Which curve each place has.
    saturations : tuple of Saturation
        The curves.
    cell : ndarray of int, shape (n_places,)
        Cell (channel, geo, period) of each place, numbered.
    """

    carried: sp.csr_array
    curve: IntArray
    saturations: tuple[Saturation, ...]
    cell: IntArray

    def exposures(self, multiples: FloatArray) -> sp.csr_array:
        """Return exposures, shape (n_places, n_entities), at multiples of shape (n_entities,)."""
        level, ratio, _ = self._curves(multiples)
        del level
        scaled = sp.diags_array(ratio) @ self.carried @ sp.diags_array(multiples)
        return sp.csr_array(scaled)

    def totals(self, multiples: FloatArray) -> FloatArray:
        """Return the exposure of each entity over the whole plan, shape (n_entities,)."""
        _, ratio, _ = self._curves(multiples)
        return np.asarray(multiples * (self.carried.T @ ratio))

    def gradient(self, multiples: FloatArray, rates: FloatArray) -> FloatArray:
        """Return the derivatives of contributions by the multiples.

        With C = sum over entities of rate times exposure, dC / dm_j is the sum over places of
        a_j (rate_j f(A) / A + S (f'(A) - f(A) / A) / A), S = sum of rate m a over the entities of
        the place.

        Parameters
        ----------
        multiples : ndarray, shape (n_entities,)
            Multiples of the planned delivery.
        rates : ndarray, shape (n_entities,) or (n_entities, n_draws)
            Contribution per unit of exposure.

        Returns
        -------
        ndarray, shape of ``rates``
            Contribution per unit of multiple.
        """
        level, ratio, slope = self._curves(multiples)
        bend = (slope - ratio) / level
        is_matrix = rates.ndim == 2
        earned = multiples[:, np.newaxis] * rates if is_matrix else multiples * rates
        sums = self.carried @ earned
        own = self.carried.T @ ratio
        weighted = bend[:, np.newaxis] * sums if is_matrix else bend * sums
        return np.asarray(
            (own[:, np.newaxis] if is_matrix else own) * rates + self.carried.T @ weighted
        )

    def _curves(self, multiples: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return A, f(A) / A and f'(A) of every place."""
        level = np.asarray(self.carried @ multiples)
        planned = np.asarray(self.carried.sum(axis=1)).ravel()
        level = np.maximum(level, _NEXT_TO_NOTHING * planned)
        value, slope = np.empty_like(level), np.empty_like(level)
        for number, saturation in enumerate(self.saturations):
            here = self.curve == number
            value[here] = saturation.of(level[here])
            slope[here] = saturation.derivative(level[here])
        return level, value / level, slope


def build_response(plan: Plan) -> Response:
    """Carry the delivery of a plan over, into periods after its end as well.

    Nothing is carried into the plan from before its start.

    Parameters
    ----------
    plan : Plan
        Delivery and curves.

    Returns
    -------
    Response
        Of the plan's entities, in their order.

    Raises
    ------
    DataError
        If periods have gaps, or a row of the plan is wrong in itself.
    """
    columns = plan.curves.columns
    frame = plan.frame.copy()
    periods = _in_order(frame[columns.period].unique().tolist())
    axis = read_axis(periods)
    frame[columns.period] = axis.positions(frame[columns.period])
    carrying = {
        key: replace(transform, saturation=NoSaturation())
        for key, transform in plan.curves.transforms.items()
    }
    lags = max(len(transform.adstock.weights()) for transform in carrying.values())
    table = build_exposures(
        frame[[*columns.keys, columns.delivery]],
        carrying,
        columns=columns,
        periods=range(len(periods) + lags - 1),
        semantics="own_curve",
    )
    table = table[table[names.EXPOSURE] > 0]
    cell = table.groupby([*columns.cell, columns.period], sort=False).ngroup().to_numpy()
    is_shared = plan.curves.semantics == "channel_curve"
    place = cell if is_shared else np.arange(len(table))
    transforms = _transforms_of(table, plan)
    codes, distinct = pd.factorize(np.array([*transforms, None], dtype=object)[:-1])
    first = np.unique(place, return_index=True)[1]
    entity = pd.Index(plan.entities).get_indexer(pd.Index(table[columns.entity].astype(str)))
    shape = (len(first), len(plan.entities))
    values = table[names.EXPOSURE].to_numpy(dtype=np.float64)
    return Response(
        carried=sp.csr_array((values, (place, entity)), shape=shape),
        curve=codes[first].astype(np.int64),
        saturations=tuple(transform.saturation for transform in distinct),
        cell=cell[first].astype(np.int64),
    )


def _in_order(periods: Sequence[str]) -> list[str]:
    """Return periods in the order of time, or as they stand where nothing tells it."""
    labels = list(map(str, periods))
    timeline = arrange(labels)
    return list(timeline.labels) if timeline.labels and not timeline.unplaced else labels


def _transforms_of(table: pd.DataFrame, plan: Plan) -> list[ChannelTransform | None]:
    columns = plan.curves.columns
    geos = table[columns.geo].tolist() if columns.geo else [None] * len(table)
    return [
        transform_for(plan.curves.transforms, str(channel), None if geo is None else str(geo))
        for channel, geo in zip(table[columns.channel].tolist(), geos, strict=True)
    ]
