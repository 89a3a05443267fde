"""What the exposures alone can tell: where credit is certain, and where data cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib import names


@dataclass(frozen=True, slots=True)
class ExposureStructure:
    """Facts about the pattern of exposures that decide what the totals can teach.

    Attributes
    ----------
    n_sole_aggregates : int
        Aggregates in which one entity alone has exposure: its credit is certain.
    n_shared_aggregates : int
        Aggregates that two or more entities share.
    n_alike : int
        Entities whose exposures are proportional to those of another entity. The totals depend on
        the sum of such rates only, so the prior alone tells them apart.
    alike_example : tuple of str
        Two or three of them that are alike.
    """

    n_sole_aggregates: int
    n_shared_aggregates: int
    n_alike: int
    alike_example: tuple[str, ...]


def describe_exposures(
    cells: pd.DataFrame, aggregate_keys: tuple[str, ...], entity_key: str
) -> ExposureStructure:
    """Describe which rates the exposures keep apart.

    Two entities are alike if their exposures over all aggregates are proportional: then
    ``mu = W @ rate`` holds their rates in one fixed combination only.

    Parameters
    ----------
    cells : DataFrame, shape (n_edges, n_columns)
        Cells with their keys and ``exposure``.
    aggregate_keys : tuple of str
        Key columns of the aggregate.
    entity_key : str
        Key column of the entity.

    Returns
    -------
    ExposureStructure
        Counts, and an example.
    """
    aggregate = cells.groupby(list(aggregate_keys), sort=False, observed=True).ngroup().to_numpy()
    entity, entity_names = pd.factorize(cells[entity_key])
    exposure = cells[names.EXPOSURE].to_numpy(dtype=np.float64)
    members = np.bincount(aggregate[exposure > 0])
    alike = _alike(aggregate, entity, exposure, len(entity_names))
    return ExposureStructure(
        int((members == 1).sum()),
        int((members > 1).sum()),
        sum(len(group) for group in alike),
        tuple(str(entity_names[i]) for i in alike[0][:3]) if alike else (),
    )


def _alike(
    aggregate: np.ndarray, entity: np.ndarray, exposure: np.ndarray, n_entities: int
) -> list[np.ndarray]:
    """Group the entities with proportional exposures; the largest group comes first."""
    sums = np.bincount(entity, weights=exposure, minlength=n_entities)
    profile = np.divide(exposure, sums[entity], out=np.zeros_like(exposure), where=exposure > 0)
    # One number per (aggregate, share of the entity's exposure), summed over an entity's cells:
    # a hash of the set of its cells. Single precision forgives rounding in the division.
    cell = pd.DataFrame({"aggregate": aggregate, "profile": profile.astype(np.float32)})
    cell_hash = pd.util.hash_pandas_object(cell[profile > 0], index=False).to_numpy()
    entity_hash = np.zeros(n_entities, dtype=np.uint64)
    np.add.at(entity_hash, entity[profile > 0], cell_hash)
    by_hash = pd.Series(np.arange(n_entities)).groupby(entity_hash)
    groups = [members.to_numpy() for _, members in by_hash if len(members) > 1]
    return sorted(groups, key=len, reverse=True)
