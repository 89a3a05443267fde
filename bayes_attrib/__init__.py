"""Bayesian attribution inside known totals: who earned what, and how sure we are.

Names are imported when they are first used, so that ``import bayes_attrib`` is quick and work that
needs no sampler never loads one.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes_attrib.attribution import AttributionResult, attribute
    from bayes_attrib.baselines import PointFit, fit_em, fit_proportional
    from bayes_attrib.errors import BayesAttribError, DataError, FitError, SpecError
    from bayes_attrib.exposure import (
        BinomialAdstock,
        ChannelTransform,
        DelayedAdstock,
        DeliveryColumns,
        GeometricAdstock,
        HillSaturation,
        LogisticSaturation,
        MichaelisMentenSaturation,
        RootSaturation,
        TanhSaturation,
        WeibullCdfAdstock,
        WeibullPdfAdstock,
        build_exposures,
    )
    from bayes_attrib.inference import (
        DrawMatrix,
        PosteriorFit,
        PriorDraws,
        SamplerSettings,
        fit_nuts,
        sample_prior,
    )
    from bayes_attrib.inputs import AggregateData, DataSource, Grouping, Repair, read_tables
    from bayes_attrib.model import build_model, choose_geometry
    from bayes_attrib.report import RunFolder, render_html
    from bayes_attrib.report.comparison_run import RunComparison, compare
    from bayes_attrib.report.figures import (
        plot_comparison,
        plot_em_comparison,
        plot_forest,
        plot_over_time,
        plot_posterior_predictive,
        plot_prior_predictive,
        plot_ranks,
        plot_ridge,
        plot_shrinkage,
        plot_tie_out,
    )
    from bayes_attrib.report.run_draws import RunDraws
    from bayes_attrib.simulation import simulate, write_tables
    from bayes_attrib.spec import ModelSpec, load_spec, parse_spec
    from bayes_attrib.workflow import FitPlan, fit_tables, fit_to_folder, predict

_HOME = {
    "attribution": ("AttributionResult", "attribute"),
    "baselines": ("PointFit", "fit_em", "fit_proportional"),
    "errors": ("BayesAttribError", "DataError", "FitError", "SpecError"),
    "inference": (
        "DrawMatrix",
        "PosteriorFit",
        "PriorDraws",
        "SamplerSettings",
        "fit_nuts",
        "sample_prior",
    ),
    "exposure": (
        "BinomialAdstock",
        "ChannelTransform",
        "DelayedAdstock",
        "DeliveryColumns",
        "GeometricAdstock",
        "HillSaturation",
        "LogisticSaturation",
        "MichaelisMentenSaturation",
        "RootSaturation",
        "TanhSaturation",
        "WeibullCdfAdstock",
        "WeibullPdfAdstock",
        "build_exposures",
    ),
    "inputs": ("AggregateData", "DataSource", "Grouping", "Repair", "read_tables"),
    "model": ("build_model", "choose_geometry"),
    "report": ("RunFolder", "render_html"),
    "report.comparison_run": ("RunComparison", "compare"),
    "report.figures": (
        "plot_comparison",
        "plot_em_comparison",
        "plot_forest",
        "plot_over_time",
        "plot_posterior_predictive",
        "plot_prior_predictive",
        "plot_ranks",
        "plot_ridge",
        "plot_shrinkage",
        "plot_tie_out",
    ),
    "report.run_draws": ("RunDraws",),
    "simulation": ("simulate", "write_tables"),
    "spec": ("ModelSpec", "load_spec", "parse_spec"),
    "workflow": ("FitPlan", "fit_tables", "fit_to_folder", "predict"),
}
_MODULE_OF = {name: module for module, exported in _HOME.items() for name in exported}

__version__ = version("bayes-attrib")

__all__ = [
    "AggregateData",
    "AttributionResult",
    "BayesAttribError",
    "BinomialAdstock",
    "ChannelTransform",
    "DataError",
    "DataSource",
    "DelayedAdstock",
    "DeliveryColumns",
    "DrawMatrix",
    "FitError",
    "FitPlan",
    "GeometricAdstock",
    "Grouping",
    "HillSaturation",
    "LogisticSaturation",
    "MichaelisMentenSaturation",
    "ModelSpec",
    "PointFit",
    "PosteriorFit",
    "PriorDraws",
    "Repair",
    "RootSaturation",
    "RunComparison",
    "RunDraws",
    "RunFolder",
    "SamplerSettings",
    "SpecError",
    "TanhSaturation",
    "WeibullCdfAdstock",
    "WeibullPdfAdstock",
    "attribute",
    "build_exposures",
    "build_model",
    "choose_geometry",
    "compare",
    "fit_em",
    "fit_nuts",
    "fit_proportional",
    "fit_tables",
    "fit_to_folder",
    "load_spec",
    "parse_spec",
    "plot_comparison",
    "plot_em_comparison",
    "plot_forest",
    "plot_over_time",
    "plot_posterior_predictive",
    "plot_prior_predictive",
    "plot_ranks",
    "plot_ridge",
    "plot_shrinkage",
    "plot_tie_out",
    "predict",
    "read_tables",
    "render_html",
    "sample_prior",
    "simulate",
    "write_tables",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'bayes_attrib' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bayes_attrib.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
