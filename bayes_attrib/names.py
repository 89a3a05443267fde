"""Names of dimensions, variables and columns, each written down once."""

from __future__ import annotations

from typing import Final

# Dimensions of posterior variables.
ENTITY: Final = "entity"
AGGREGATE: Final = "aggregate"
COVARIATE: Final = "covariate"
PAIR_COVARIATE: Final = "pair_covariate"
ZERO_COVARIATE: Final = "zero_covariate"
PERIOD: Final = "period"
PAIR: Final = "pair"
LIFT_TEST: Final = "lift_test"
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
SIGMA_TOTAL: Final = "sigma_total"
PI: Final = "pi"
BETA: Final = "beta"
BETA_PAIR: Final = "beta_pair"
BETA_ZERO: Final = "beta_zero"
COEFFICIENT: Final = "coefficient"
COEFFICIENT_PAIR: Final = "coefficient_pair"
COEFFICIENT_ZERO: Final = "coefficient_zero"
SIGMA_SPREAD: Final = "sigma_spread"
SIGMA_DRIFT: Final = "sigma_drift"
LENGTHSCALE_DRIFT: Final = "lengthscale_drift"
DRIFT: Final = "drift"
TRANSFORM: Final = "transform"
TRANSFORM_PARAMETER: Final = "transform_parameter"
UNATTRIBUTED_SHARE: Final = "unattributed_share"
LIFT_INCREMENT: Final = "lift_increment"

# Sum of squared shares of the expected amounts within an aggregate: 1 where one entity has all.
HERFINDAHL: Final = "herfindahl"

# The entity that stands for what no exposure explains, and the dimension of all others beside it.
UNATTRIBUTED: Final = "unattributed"
ATTRIBUTABLE: Final = "attributable"

# Columns of data folders.
EXPOSURE: Final = "exposure"
DELIVERY: Final = "delivery"
AMOUNT: Final = "amount"
TOTAL_SD: Final = "total_sd"
DRAWS: Final = "draws"

# Columns of run folders.
TRUTH_AMOUNT: Final = "truth_amount"

# Rates of EM on the data that were fitted, in the constants of a run that was rolled forward.
EM_RATE: Final = "em_rate"

# Stems of the tables in a data folder.
AGGREGATES_TABLE: Final = "aggregates"
EXPOSURES_TABLE: Final = "exposures"
ENTITIES_TABLE: Final = "entities"
TOTAL_DRAWS_TABLE: Final = "total_draws"
LIFT_TESTS_TABLE: Final = "lift_tests"

# Columns of the table of lift tests that every such table names alike.
LIFT_TEST_NAME: Final = "test"
FIRST_PERIOD: Final = "first_period"
LAST_PERIOD: Final = "last_period"
INCREMENT: Final = "increment"
STANDARD_ERROR: Final = "standard_error"
INCREMENT_RATIO: Final = "increment_ratio"
NOTE: Final = "note"

# Files of a run folder.
ATTRIBUTION_FILE: Final = "attribution.csv"
CELLS_FILE: Final = "cells.parquet"
EM_ERRORS_FILE: Final = "em_errors.csv"
VARIANCE_FILE: Final = "variance_split.csv"
POSTERIOR_FILE: Final = "posterior.nc"
DRIFT_FILE: Final = "drift.json"
DIAGNOSTICS_FILE: Final = "diagnostics.json"
MANIFEST_FILE: Final = "manifest.json"
REPORT_FILE: Final = "report.html"
JOURNEYS_FILE: Final = "journeys.csv"
JOURNEYS_RECORD_FILE: Final = "journeys.json"
WORKBOOK_FILE: Final = "attribution.xlsx"
BRIEF_PAGE_FILE: Final = "brief.html"
BRIEF_TEXT_FILE: Final = "brief.md"
PRIOR_TABLE_FILE: Final = "prior.csv"
PRIOR_PAGE_FILE: Final = "prior.html"
PREVIEW_FOLDER: Final = "preview"

# Method of a run that drew from the prior alone.
PRIOR_METHOD: Final = "prior"

PATH_SEPARATOR: Final = " / "

# Names that a grouping column cannot take: the spec's own parameter names would collide.
RESERVED_GROUPS: Final = frozenset(
    {
        ENTITY,
        AGGREGATE,
        COVARIATE,
        PAIR_COVARIATE,
        ZERO_COVARIATE,
        PERIOD,
        PAIR,
        LIFT_TEST,
        ATTRIBUTABLE,
        CHAIN,
        DRAW,
        TOTAL,
        RATE,
        LOG_RATE,
        DRIFT,
        "spread",
    }
)


def sigma_of(group: str) -> str:
    """Return the name of the between-level standard deviation of a grouping column."""
    return f"sigma_{group}"


def sigma_entity_of(group: str) -> str:
    """Return the name of the sd of the entities' own effects in each level of a column."""
    return f"sigma_entity_of_{group}"


def effect_of(group: str) -> str:
    """Return the name of the effects of a grouping column's levels."""
    return f"effect_{group}"
