"""Names of the files of a mix model's run folder."""

from __future__ import annotations

from typing import Final

FIT: Final = "mmm.nc"
CHANNELS: Final = "channels.csv"
COMPONENTS: Final = "components.csv"
CURVES: Final = "response_curves.csv"
MARGINAL: Final = "marginal_roas.csv"
PREDICTIONS: Final = "predictions.csv"
PARAMETERS: Final = "parameters.csv"
ACCURACY: Final = "accuracy.csv"
PREDICTIVE: Final = "predictive_checks.csv"
AUTOCORRELATION: Final = "residual_autocorrelation.csv"
QUANTILES: Final = "residual_quantiles.csv"
COLLINEARITY: Final = "collinearity.csv"
CLASSICAL: Final = "classical.csv"
LIFT_TESTS: Final = "lift_tests.csv"
FORECAST: Final = "forecast.csv"
FORECAST_CHANNELS: Final = "forecast_channels.csv"
SUMMARY: Final = "mmm.json"
DIAGNOSTICS: Final = "diagnostics.json"
MANIFEST: Final = "manifest.json"
PAGE: Final = "report.html"

ALL: Final = frozenset(
    {
        FIT,
        CHANNELS,
        COMPONENTS,
        CURVES,
        MARGINAL,
        PREDICTIONS,
        PARAMETERS,
        ACCURACY,
        PREDICTIVE,
        AUTOCORRELATION,
        QUANTILES,
        COLLINEARITY,
        CLASSICAL,
        LIFT_TESTS,
        FORECAST,
        FORECAST_CHANNELS,
        SUMMARY,
        DIAGNOSTICS,
        MANIFEST,
        PAGE,
    }
)
"""Every file that a run may write."""
