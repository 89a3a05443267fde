"""What learned exposures are made of, in the constant data of a fit, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayes_attrib.exposure.lagged import LaggedDelivery
from bayes_attrib.inputs.aggregate_data import AggregateData


def delivery_constants(data: AggregateData) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Return the delivery of data as variables; none where no transform is learned.

    Parameters
    ----------
    data : AggregateData
        The data that were fitted.

    Returns
    -------
    mapping of str to (dimensions, values)
        For each learned transform, counted from 0: positions of its cells, delivery of their lags,
        and place and delivery of the channel in their aggregates.
    """
    found: dict[str, tuple[tuple[str, ...], Any]] = {}
    for number, part in enumerate(data.delivery):
        cell, lag, place = (f"delivery_{dim}_{number}" for dim in ("cell", "lag", "place"))
        found |= {
            f"delivery_edges_{number}": ((cell,), part.edges),
            f"delivery_lags_{number}": ((cell, lag), part.lags),
            f"delivery_place_of_{number}": ((cell,), part.place),
            f"delivery_place_lags_{number}": ((place, lag), part.place_lags),
        }
    return found


def delivery_of(constants: xr.Dataset) -> tuple[LaggedDelivery, ...]:
    """Read what :func:`delivery_constants` wrote; cells are those of the run, in their order."""
    found: list[LaggedDelivery] = []
    while f"delivery_edges_{len(found)}" in constants:
        number = len(found)
        found.append(
            LaggedDelivery(
                constants[f"delivery_edges_{number}"].to_numpy().astype(np.int64),
                constants[f"delivery_lags_{number}"].to_numpy(),
                constants[f"delivery_place_of_{number}"].to_numpy().astype(np.int64),
                constants[f"delivery_place_lags_{number}"].to_numpy(),
            )
        )
    return tuple(found)
