"""The manifest of a run: what went in, what computed, and what was changed on request."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from bayes_attrib.baselines import PointFit
from bayes_attrib.inputs import AggregateData, TablesRead
from bayes_attrib.model import Geometry
from bayes_attrib.spec import ModelSpec, PriorSpec

_DISTRIBUTIONS = (
    "bayes-attrib",
    "arviz-base",
    "arviz-stats",
    "numba",
    "numpy",
    "nutpie",
    "pandas",
    "pyarrow",
    "pymc",
    "pymc-extras",
    "pytensor",
    "scipy",
    "xarray",
)


@dataclass(frozen=True)
class RunRecord:
    """What is known about a run once it has been computed.

    Attributes
    ----------
    spec : ModelSpec
        The model, overrides applied.
    tables : TablesRead
        Data, sources and repairs.
    geometry : Geometry
        Parameterisation of the sampled model.
    priors : mapping of str to PriorSpec
        Prior of every parameter, defaults included.
    baselines : mapping of str to PointFit
        Point estimates.
    largest_residual : float
        Largest absolute difference between a total and the sum of its amounts in any draw.
    started, ended : datetime
        With time zone.
    """

    spec: ModelSpec
    tables: TablesRead
    geometry: Geometry
    priors: Mapping[str, PriorSpec]
    baselines: Mapping[str, PointFit]
    largest_residual: float
    started: datetime
    ended: datetime


def manifest_of(record: RunRecord) -> dict[str, Any]:
    """Return the manifest as plain JSON types.

    Parameters
    ----------
    record : RunRecord
        The computed run.

    Returns
    -------
    dict
        Content of ``manifest.json``; only ``started`` and ``ended`` differ between equal runs.
    """
    inference = record.spec.inference
    return {
        "schema_version": 1,
        "name": record.spec.name,
        "spec": record.spec.model_dump(mode="json"),
        "spec_digest": record.spec.digest,
        "inputs": [asdict(source) for source in record.tables.sources],
        "seed": inference.seed,
        "method": "nuts",
        "sampling": inference.model_dump(include={"draws", "tune", "chains", "target_accept"}),
        "geometry": record.geometry.as_dict(),
        "priors": {name: prior.model_dump() for name, prior in record.priors.items()},
        "data": _data_facts(record.tables.data),
        "repairs": [
            asdict(repair) | {"repair": str(repair.repair)} for repair in record.tables.repairs
        ],
        "baselines": {name: _point_facts(fit) for name, fit in record.baselines.items()},
        "largest_residual": record.largest_residual,
        "versions": {name: version(name) for name in _DISTRIBUTIONS},
        "platform": {
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
        },
        "started": record.started.isoformat(timespec="seconds"),
        "ended": record.ended.isoformat(timespec="seconds"),
    }


def _data_facts(data: AggregateData) -> dict[str, Any]:
    return {
        "n_aggregates": data.n_aggregates,
        "n_entities": data.n_entities,
        "n_edges": data.n_edges,
        "grand_total": data.grand_total,
        "reference_rate": data.reference_rate,
        "aggregates_without_exposure": int(np.sum(~data.is_exposed)),
    }


def _point_facts(fit: PointFit) -> dict[str, Any]:
    certificate = fit.certificate
    return {
        "iterations": fit.iterations,
        "converged": fit.converged,
        "relative_gap": None if certificate is None else certificate.relative_gap,
        "n_zero": int(np.sum(fit.rate <= 0)),
    }
