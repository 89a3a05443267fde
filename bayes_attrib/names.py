"""Names of dimensions, variables and columns, each written down once."""

from __future__ import annotations

from typing import Final

# Dimensions of posterior variables.
ENTITY: Final = "entity"
AGGREGATE: Final = "aggregate"
CHAIN: Final = "chain"
DRAW: Final = "draw"

# Variables of a model.
INTERCEPT: Final = "intercept"
SIGMA_ENTITY: Final = "sigma_entity"
ENTITY_OFFSET: Final = "offset_entity"
LOG_RATE: Final = "log_rate"
RATE: Final = "rate"
TOTAL: Final = "total"
ALPHA: Final = "alpha"
PHI: Final = "phi"

# Columns of data folders.
EXPOSURE: Final = "exposure"
AMOUNT: Final = "amount"

# Stems of the tables in a data folder.
AGGREGATES_TABLE: Final = "aggregates"
EXPOSURES_TABLE: Final = "exposures"
ENTITIES_TABLE: Final = "entities"

# Files of a run folder.
ATTRIBUTION_FILE: Final = "attribution.csv"
CELLS_FILE: Final = "cells.parquet"
POSTERIOR_FILE: Final = "posterior.nc"
DIAGNOSTICS_FILE: Final = "diagnostics.json"
MANIFEST_FILE: Final = "manifest.json"
REPORT_FILE: Final = "report.html"

PATH_SEPARATOR: Final = " / "

# Names that a grouping column cannot take: the spec's own parameter names would collide.
RESERVED_GROUPS: Final = frozenset({ENTITY, AGGREGATE, CHAIN, DRAW, TOTAL, "rate", "log_rate"})


def sigma_of(group: str) -> str:
    """Return the name of the between-level standard deviation of a grouping column."""
    return f"sigma_{group}"


def effect_of(group: str) -> str:
    """Return the name of the effects of a grouping column's levels."""
    return f"effect_{group}"
