"""What the two JSON files of a run folder say, as frozen values."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bayes_attrib.errors import Finding
from bayes_attrib.spec import ModelSpec, PriorSpec

Verdict = Literal["ok", "warn", "not_converged"]
Status = Literal["ok", "warn", "fail"]


def _none_for_nan(value: Any) -> Any:
    """JSON has no NaN; some writers put one in all the same."""
    return None if isinstance(value, float) and math.isnan(value) else value


Number = Annotated[float | None, BeforeValidator(_none_for_nan)]


class _Record(BaseModel):
    """Frozen; keys that a later version may add are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Check(_Record):
    """One diagnostic with its threshold.

    Attributes
    ----------
    name : str
        Such as ``"max_rhat_parameters"``.
    value : float or None
        None where the diagnostic could not be computed, which is a failure.
    threshold : float
        What the value is held against.
    comparison : {"<=", ">="}
        Which side of the threshold is good.
    status : {"ok", "warn", "fail"}
        Outcome.
    detail : str
        Which parameter or entity was worst, for instance.
    """

    name: str
    value: Number
    threshold: Number
    comparison: Literal["<=", ">="]
    status: Status
    detail: str = ""


class Diagnostics(_Record):
    """Contents of ``diagnostics.json``.

    Attributes
    ----------
    verdict : {"ok", "warn", "not_converged"}
        Whether the numbers may be used.
    checks : tuple of Check
        Every diagnostic that was computed.
    findings : tuple of Finding
        What a reader should know about the spec, the data or the fit.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...] = ()


class InputRecord(_Record):
    """A table that the run was computed from."""

    table: str
    name: str
    sha256: str
    rows: int


class RepairRecord(_Record):
    """An opt-in repair that was applied to the inputs.

    Attributes
    ----------
    repair : str
        Name of the repair.
    table : str
        Table that it changed.
    rows : int
        Number of rows concerned.
    detail : str
        What was done.
    total_excluded : float
        Part of the totals that left the analysis by it, in the unit of the totals.
    """

    repair: str
    table: str = ""
    rows: int = 0
    detail: str = ""
    total_excluded: float = 0.0


class DataRecord(_Record):
    """Sizes of the data after repairs; ``grand_total`` in the unit of the totals."""

    n_aggregates: int
    n_entities: int
    n_edges: int
    grand_total: float
    aggregates_without_exposure: int = 0


class EMRecord(_Record):
    """How the EM baseline ended; ``relative_gap`` is the certified distance to the optimum."""

    iterations: int
    relative_gap: Number = None
    converged: bool
    n_zero: int = 0


class Baselines(_Record):
    """Provenance of the point estimates beside the posterior."""

    em: EMRecord | None = None


class RollReason(_Record):
    """What one check of drift found: ``outcome`` "ok", "warn" or "refit", and a sentence."""

    outcome: Literal["ok", "warn", "refit"]
    message: str


class RolledRecord(_Record):
    """The run whose fit has split the totals of a run that was rolled forward.

    Attributes
    ----------
    folder, name : str
        Name of its folder when it was rolled forward, and of its model.
    manifest_sha256 : str
        SHA-256 of its ``manifest.json``.
    fit_ended : str
        When it was fitted, ISO 8601.
    n_aggregates_fitted : int
        Number of aggregates that it was fitted to.
    drift : {"ok", "warn", "refit"}
        Whether the fit still serves.
    reasons : tuple of RollReason
        What was looked at.
    new_entities : int
        Number of entities that it has never seen.
    """

    folder: str
    name: str
    manifest_sha256: str
    fit_ended: str
    n_aggregates_fitted: int
    drift: Literal["ok", "warn", "refit"]
    reasons: tuple[RollReason, ...] = ()
    new_entities: int = 0


class Manifest(_Record):
    """Contents of ``manifest.json``: what the run was computed from, how, and with what.

    Attributes
    ----------
    schema_version : int
        Version of the run folder's layout.
    name : str
        Name of the model.
    spec : ModelSpec
        The full spec, defaults included.
    spec_digest : str
        SHA-256 of the spec's canonical JSON.
    inputs : tuple of InputRecord
        Tables with their SHA-256.
    seed : int
        Seed of the fit.
    method : str
        Inference method.
    method_choice : dict or None
        Method, time budget in seconds and reason, where the spec left the method open.
    geometry, sampling : dict
        Parameterisation chosen, and the sampler's settings.
    priors : dict of str to PriorSpec
        Prior of every parameter, defaults included.
    model : str or None
        Whose model it is, where it is not the one of the spec.
    model_variables : tuple of str
        Unobserved variables of such a model.
    data : DataRecord
        Sizes of the data.
    repairs : tuple of RepairRecord
        Opt-in repairs that were applied.
    baselines : Baselines
        How the baselines ended.
    largest_residual : float or None
        Largest absolute difference between a total and the sum of its amounts in any draw; None
        where it was not recorded.
    versions, platform : dict
        Everything that computes, and where.
    started, ended : str
        Times, ISO 8601.
    rolled_forward : RolledRecord or None
        The run that was fitted, where this one holds new totals that its fit has split.
    outputs : dict of str to str
        SHA-256 of the files of the run by name; empty where an older version wrote the run.
    """

    schema_version: Literal[1]
    name: str
    spec: ModelSpec
    spec_digest: str
    inputs: tuple[InputRecord, ...]
    seed: int
    method: str
    method_choice: dict[str, Any] | None = None
    geometry: Annotated[dict[str, Any], Field(default_factory=dict)]
    sampling: Annotated[dict[str, Any], Field(default_factory=dict)]
    priors: Annotated[dict[str, PriorSpec], Field(default_factory=dict)]
    model: str | None = None
    model_variables: tuple[str, ...] = ()
    data: DataRecord
    repairs: tuple[RepairRecord, ...] = ()
    baselines: Baselines = Baselines()
    largest_residual: Number = None
    versions: Annotated[dict[str, Any], Field(default_factory=dict)]
    platform: Annotated[dict[str, Any], Field(default_factory=dict)]
    started: str
    ended: str
    rolled_forward: RolledRecord | None = None
    outputs: Annotated[dict[str, str], Field(default_factory=dict)]
