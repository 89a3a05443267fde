"""From a finished run, or a fit in memory, to predictions for what it has never seen."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.attribution.prediction import Prediction, Source, predict_tables
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference import PosteriorFit, load_open_tree
from bayes_attrib.inference.constant_data import FittedData, constant_data
from bayes_attrib.inputs import Repair
from bayes_attrib.inputs.new_tables import GivenTable, KnownNames, read_new_tables
from bayes_attrib.report import RunFolder
from bayes_attrib.spec import IntervalSpec, ModelSpec
from bayes_attrib.workflow.fit import Fitted

_CONSTANT = "constant_data"


def predict(
    run: Fitted | Path | str,
    *,
    entities: GivenTable | None = None,
    exposures: GivenTable | None = None,
    aggregates: GivenTable | None = None,
    interval: IntervalSpec | None = None,
    seed: int = 1,
    repairs: Collection[Repair] = (),
) -> Prediction:
    """Predict rates of entities, and totals and amounts of aggregates, known or never seen.

    An entity that was fitted keeps its posterior. A new one is a draw from its groups and
    covariates in every posterior draw, so its interval is wider; a group that the fit has never
    seen is drawn too, and widens it further.

    Parameters
    ----------
    run : Fitted, Path or str
        A fit in memory, or a run folder.
    entities : DataFrame, Path or str, optional
        Groups and covariates of entities under the spec's own column names.
    exposures : DataFrame, Path or str, optional
        Exposures of entities in new aggregates.
    aggregates : DataFrame, Path or str, optional
        New aggregates with the columns that the model reads of them. With a column of totals, these
        are split; the rates learn nothing from them. Without, totals are predicted.
    interval : IntervalSpec, optional
        Kind and probability of the intervals; those of the run by default.
    seed : int
        Seed of everything random.
    repairs : collection of Repair
        Opt-in repairs of the tables.

    Returns
    -------
    Prediction
        Tables and draws.

    Raises
    ------
    DataError
        If the tables are wrong.
    RunFolderError
        If the run is no folder of a finished run, or lacks what prediction needs.
    """
    fit, spec, constants = _load(run)
    _require_model_of_spec(fit, spec)
    fitted = FittedData.of(constants, spec)
    tables = {
        names.ENTITIES_TABLE: entities,
        names.EXPOSURES_TABLE: exposures,
        names.AGGREGATES_TABLE: aggregates,
    }
    given = {stem: table for stem, table in tables.items() if table is not None}
    return predict_tables(
        Source(fit, spec, fitted),
        read_new_tables(spec, given, known_names(spec, fitted), repairs=repairs),
        interval=interval or spec.report.interval,
        rng=np.random.default_rng(seed),
    )


def _load(run: Fitted | Path | str) -> tuple[PosteriorFit, ModelSpec, xr.Dataset]:
    if isinstance(run, Fitted):
        spec = run.record.spec
        return run.posterior, spec, constant_data(run.record.tables.data, spec)
    folder = RunFolder.load(run)
    if folder.manifest.rolled_forward is not None:
        raise RunFolderError(
            f"{folder.path} was rolled forward from {folder.manifest.rolled_forward.folder!r} and "
            "holds only what its new totals needed; predict from the run that was fitted"
        )
    with folder.open_posterior() as tree:
        if _CONSTANT not in tree:
            raise RunFolderError(
                f"{folder.path / names.POSTERIOR_FILE} lacks the group {_CONSTANT}, which tells "
                "groups and covariates of the fit; fit again with this version to predict from it"
            )
        loaded = load_open_tree(tree)
    constants = loaded[_CONSTANT].to_dataset()
    return PosteriorFit(loaded, folder.manifest.method), folder.spec, constants


def _require_model_of_spec(fit: PosteriorFit, spec: ModelSpec) -> None:
    effects = map(names.effect_of, (*spec.rates.groups, *spec.rates.aggregate_effects))
    drift = [names.DRIFT] if spec.rates.drift is not None else []
    wanted = (*spec.parameters, *effects, *drift)
    lacking = [name for name in wanted if name not in fit.posterior]
    if lacking:
        raise RunFolderError(
            f"the posterior lacks {', '.join(lacking)}, so its model is not the one that the spec "
            "describes; for a model of your own, compute the rates of new entities from its draws"
        )


def known_names(spec: ModelSpec, fitted: FittedData) -> KnownNames:
    """Return what a fit knows, for checks of new tables."""
    crossed = {column: fitted.groups[column] for column in spec.rates.pooling}
    return KnownNames(
        entities={
            name: {column: str(labels[i]) for column, labels in crossed.items()}
            for i, name in enumerate(map(str, fitted.entities))
        },
        categories={
            table: [column for column, kind in design.kinds.items() if kind == "category"]
            for table, design in fitted.designs.items()
        },
    )
