"""The manifest of a run: what went in, what computed, and what was changed on request."""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from bayes_attrib.baselines import PointFit
from bayes_attrib.inputs import AggregateData, TablesRead
from bayes_attrib.model import Geometry
from bayes_attrib.spec import ModelSpec, PriorSpec
from bayes_attrib.workflow.methods.auto import MethodChoice
from bayes_attrib.workflow.own_model import OWN, OwnModel

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
    geometry : Geometry or None
        Parameterisation of the sampled model; None for one of the user's own.
    priors : mapping of str to PriorSpec
        Prior of every parameter, defaults included.
    baselines : mapping of str to PointFit
        Point estimates.
    largest_residual : float
        Largest absolute difference between a total and the sum of its amounts in any draw.
    started, ended : datetime
        With time zone.
    own_model : OwnModel or None
        What is known of a model of the user's own.
    method : str
        How the draws were made.
    settings : collection of str
        Settings under ``[inference]`` that the method listens to.
    choice : MethodChoice or None
        Why the method was chosen, where the spec left that open.
    """

    spec: ModelSpec
    tables: TablesRead
    geometry: Geometry | None
    priors: Mapping[str, PriorSpec]
    baselines: Mapping[str, PointFit]
    largest_residual: float
    started: datetime
    ended: datetime
    own_model: OwnModel | None = None
    method: str = "nuts"
    settings: Collection[str] = ("draws", "tune", "chains", "target_accept")
    choice: MethodChoice | None = None


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
    facts = provenance(
        record.spec, record.tables, record.priors, started=record.started, ended=record.ended
    )
    return {
        **facts,
        "method": record.method,
        "sampling": record.spec.inference.model_dump(include=set(record.settings)),
        "method_choice": None if record.choice is None else asdict(record.choice),
        "geometry": {} if record.geometry is None else record.geometry.as_dict(),
        **_own_facts(record.own_model),
        "baselines": {name: _point_facts(fit) for name, fit in record.baselines.items()},
        "largest_residual": record.largest_residual,
    }


def provenance(
    spec: ModelSpec,
    tables: TablesRead,
    priors: Mapping[str, PriorSpec],
    *,
    started: datetime,
    ended: datetime,
) -> dict[str, Any]:
    """Return the part of a manifest that any method has: what went in, and what computed.

    Parameters
    ----------
    spec : ModelSpec
        The model, overrides applied.
    tables : TablesRead
        Data, sources and repairs.
    priors : mapping of str to PriorSpec
        Prior of every parameter, defaults included.
    started, ended : datetime
        With time zone.

    Returns
    -------
    dict
        Plain JSON types.
    """
    return {
        "schema_version": 1,
        "name": spec.name,
        "spec": spec.model_dump(mode="json"),
        "spec_digest": spec.digest,
        "inputs": [asdict(source) for source in tables.sources],
        "seed": spec.inference.seed,
        "priors": {name: prior.model_dump() for name, prior in priors.items()},
        "data": data_facts(tables.data),
        "repairs": [asdict(repair) | {"repair": str(repair.repair)} for repair in tables.repairs],
        "versions": versions(),
        "platform": {
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
        },
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
    }


def _own_facts(own: OwnModel | None) -> dict[str, Any]:
    if own is None:
        return {}
    return {"model": OWN, "model_variables": list(own.variables), "model_digest": own.digest}


def versions() -> dict[str, str]:
    """Return the versions of everything that computes."""
    return {name: version(name) for name in _DISTRIBUTIONS}


def data_facts(data: AggregateData) -> dict[str, Any]:
    """Return the sizes of data for a manifest."""
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
