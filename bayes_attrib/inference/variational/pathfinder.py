"""Pathfinder: normal laws along paths of a quasi-Newton climb, joined by importance resampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pymc as pm
import xarray as xr
from pymc.blocking import DictToArrayBijection

from bayes_attrib import names
from bayes_attrib.errors import FitError, InterruptedFitError
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inference.variational.dataset import (
    kept_variables,
    name_variables,
    observed_dataset,
)
from bayes_attrib.inference.variational.streams import Purpose, stream
from bayes_attrib.inference.variational.target import reproducible_kernels, require_continuous

MOST_ELEMENTS: Final = 5_000
"""Unknowns up to which it is tried; already with 4,000 its weights left 2 draws of 1,000."""

FEWEST_DISTINCT: Final = 100
"""With fewer different draws there are no intervals to speak of."""

_PATHS = 4
_FEWEST_DRAWS_PER_PATH = 1_000


@dataclass(frozen=True, slots=True)
class PathfinderSettings:
    """What determines the draws of Pathfinder.

    Attributes
    ----------
    draws : int
        Number of draws.
    seed : int
        Seed of everything random.
    """

    draws: int = 1000
    seed: int = 1


def fit_pathfinder(model: pm.Model, settings: PathfinderSettings) -> PosteriorFit:
    """Draw by multi-path Pathfinder (Zhang, Carpenter, Gelman and Vehtari 2022, JMLR 23).

    Parameters
    ----------
    model : pymc.Model
        Any model with a variable ``rate`` over the dimension ``entity`` and no discrete unknowns.
    settings : PathfinderSettings
        Number of draws, and seed.

    Returns
    -------
    PosteriorFit
        One chain, with the variables of a sampled fit; the group ``approximation`` holds the
        figures that checks are made from.

    Raises
    ------
    FitError
        If there are too many unknowns, no path succeeds, or the weights leave too few draws.
    InterruptedFitError
        On Ctrl-C; nothing is kept.
    """
    require_continuous(model)
    n_elements = len(DictToArrayBijection.map(model.initial_point()).data)
    if n_elements > MOST_ELEMENTS:
        raise FitError(
            f"Pathfinder is offered for at most {MOST_ELEMENTS:,} unknowns, and the model has "
            f"{n_elements:,}: its draws collapse; choose method 'laplace' or 'advi'"
        )
    try:
        found = _run(model, settings)
    except KeyboardInterrupt:
        raise InterruptedFitError(0, 1) from None
    posterior = name_variables(
        model, {name: found["posterior"][name].to_numpy() for name in kept_variables(model)}
    )
    identity = _identities(posterior)
    figures = _figures(found, n_elements, n_distinct=int(identity.max()) + 1)
    _require_distinct(figures, settings)
    groups = {
        "posterior": posterior,
        "sample_stats": xr.Dataset(
            {"copy_of": ((names.CHAIN, names.DRAW), identity[np.newaxis])},
            {names.CHAIN: [0], names.DRAW: np.arange(settings.draws)},
        ),
        "observed_data": observed_dataset(model),
        "approximation": xr.Dataset({n: ((), float(v)) for n, v in figures.items()}),
    }
    return PosteriorFit(xr.DataTree.from_dict(groups), method="pathfinder")


def _run(model: pm.Model, settings: PathfinderSettings) -> xr.DataTree:
    import pymc_extras  # noqa: PLC0415, it loads matplotlib

    seed = int(stream(settings.seed, Purpose.PATHS).integers(2**31))
    try:
        with reproducible_kernels():
            return pymc_extras.fit_pathfinder(
                model,
                num_paths=_PATHS,
                num_draws=settings.draws,
                num_draws_per_path=max(_FEWEST_DRAWS_PER_PATH, settings.draws),
                random_seed=seed,
                progressbar=False,
                parallel=False,
            )
    except ValueError as error:
        raise FitError(
            f"Pathfinder failed: {error}; choose method 'nuts', 'laplace' or 'advi'"
        ) from error


def _identities(posterior: xr.Dataset) -> np.ndarray:
    """Number the different draws, shape (n_draws,): resampling takes some more than once."""
    rates = posterior[names.RATE].to_numpy()[0]
    _, identity = np.unique(rates, axis=0, return_inverse=True)
    return np.asarray(identity, dtype=np.int64).ravel()


def _figures(found: xr.DataTree, n_elements: int, n_distinct: int) -> dict[str, float]:
    told = found["pathfinder"].to_dataset()
    return {
        "pareto_k": float(told["pareto_k"]),
        "distinct_draws": n_distinct,
        "n_draws": int(told["num_draws"]),
        "n_paths": int(told["num_paths"]),
        "n_successful_paths": int(told["num_successful_paths"]),
        "mean_path_steps": float(found["lbfgs"]["niter_mean"]),
        "n_elements": n_elements,
    }


def _require_distinct(figures: dict[str, float], settings: PathfinderSettings) -> None:
    enough = min(FEWEST_DISTINCT, settings.draws)
    if figures["distinct_draws"] < enough:
        raise FitError(
            f"Pathfinder failed: its weights leave {figures['distinct_draws']} different draws of "
            f"{settings.draws} (Pareto k {figures['pareto_k']:.1f}, and above .7 is unreliable); "
            "choose method 'nuts', 'laplace' or 'advi'"
        )
