"""Levels of groups in new rows: the fit's own, and those that it has never seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inference.constant_data import FittedData, Texts
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class LevelDraws:
    """Draws of a quantity of each level, and the level of every row.

    Attributes
    ----------
    levels : ndarray, shape (n_levels, n_draws)
        The fit's levels, then those that it has never seen.
    codes : ndarray of int, shape (n_rows,)
        Level of every row.
    n_known : int
        How many of the levels are the fit's.
    """

    levels: FloatArray
    codes: IntArray
    n_known: int

    @property
    def is_unseen(self) -> npt.NDArray[np.bool_]:
        """Whether the fit has never seen the level of each row, shape (n_rows,)."""
        return self.codes >= self.n_known

    @property
    def rows(self) -> FloatArray:
        """Draws of every row, shape (n_rows, n_draws)."""
        return self.levels[self.codes]


def effect_draws(
    fit: PosteriorFit, column: str, labels: Sequence[str] | Texts, rng: np.random.Generator
) -> LevelDraws:
    """Return the effect of each row's level; one never seen is drawn once for all of its rows.

    A fresh effect is Normal(0, sigma_column) in every draw. For nested levels below the top that is
    the model's own law. Effects of crossed columns and of the top level sum to zero over the levels
    of the fit, so for them it is an approximation: one more level would move the others a little.

    Parameters
    ----------
    fit : PosteriorFit
        Draws of ``effect_<column>`` and ``sigma_<column>``.
    column : str
        Grouping column.
    labels : sequence of str, shape (n_rows,)
        Level of every row; a path for nested columns.
    rng : numpy.random.Generator
        Source of the fresh effects.
    """
    sigma = fit.draws(names.sigma_of(column))
    return level_draws(
        fit,
        names.effect_of(column),
        labels,
        lambda n: sigma * rng.standard_normal((n, fit.n_draws)),
    )


def spread_draws(
    fit: PosteriorFit,
    spec: ModelSpec,
    groups: dict[str, Texts],
    n_rows: int,
    rng: np.random.Generator,
) -> LevelDraws:
    """Return the sd of the rows' own effects; one level, the fit's own, where all have one.

    Parameters
    ----------
    fit : PosteriorFit
        Draws of the spreads.
    spec : ModelSpec
        ``rates.heteroscedastic`` names the column whose levels differ in spread, if any.
    groups : dict of str to ndarray of str
        Level of every row, by column.
    n_rows : int
        Number of rows.
    rng : numpy.random.Generator
        Source of the spreads of levels never seen, which are those of the model's prior.
    """
    sigma, column = fit.draws(names.SIGMA_ENTITY), spec.rates.heteroscedastic
    if column is None:
        return LevelDraws(sigma[np.newaxis], np.zeros(n_rows, dtype=np.int64), 1)
    spread = fit.draws(names.SIGMA_SPREAD)
    return level_draws(
        fit,
        names.sigma_entity_of(column),
        groups[column],
        lambda n: sigma * np.exp(spread * rng.standard_normal((n, fit.n_draws))),
    )


def level_draws(
    fit: PosteriorFit,
    variable: str,
    labels: Sequence[str] | Texts,
    fresh: Callable[[int], FloatArray],
) -> LevelDraws:
    """Return draws of a variable over levels, with fresh ones for levels that it does not have.

    Parameters
    ----------
    fit : PosteriorFit
        Draws of the variable, whose last dimension has the names of the levels.
    variable : str
        Its name.
    labels : sequence of str, shape (n_rows,)
        Level of every row.
    fresh : function of a number
        Draws so many new levels, shape (n, n_draws).
    """
    coordinate = fit.posterior[variable].coords[fit.posterior[variable].dims[-1]]
    position = {level: i for i, level in enumerate(coordinate.to_numpy().astype(str).tolist())}
    n_known = len(position)
    for label in labels:
        position.setdefault(str(label), len(position))
    values = fit.draws(variable)
    values = np.vstack([values, fresh(len(position) - n_known)])
    codes = np.array([position[str(label)] for label in labels], dtype=np.int64)
    return LevelDraws(values, codes, n_known)


def group_labels(spec: ModelSpec, fitted: FittedData, frame: pd.DataFrame) -> dict[str, Texts]:
    """Return the level of every new entity in every grouping column; paths for nested ones.

    Parameters
    ----------
    spec : ModelSpec
        Crossed and nested columns.
    fitted : FittedData
        Tells how the fit wrote paths: plain, or with their parts in quotes.
    frame : DataFrame, shape (n_rows, any)
        Labels of the entities.
    """
    found = {column: frame[column].to_numpy(dtype=object) for column in spec.rates.pooling}
    nested = spec.rates.nested
    for depth, column in enumerate(nested):
        parts = frame[list(nested[: depth + 1])].itertuples(index=False, name=None)
        quoted = all(_is_quoted(path) for path in fitted.groups[column])
        paths = [names.PATH_SEPARATOR.join(map(repr, p) if quoted else p) for p in parts]
        found[column] = np.array(paths, dtype=object)
    return found


def _is_quoted(path: str) -> bool:
    return path[:1] in {"'", '"'} and path[-1:] in {"'", '"'}
