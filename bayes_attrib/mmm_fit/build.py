"""From a spec and series to a model of pymc-marketing, which is all that ever fits it."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from bayes_attrib.mmm_fit.parameters import CONTROL_EFFECT, INTERCEPT, SEASON_EFFECT
from bayes_attrib.mmm_fit.priors import (
    adstock_priors,
    likelihood,
    saturation_priors,
    upstream_prior,
)
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries
from bayes_attrib.mmm_fit.upstream import quiet, upstream

ADSTOCK_CLASSES: Final = {
    "geometric": "GeometricAdstock",
    "delayed": "DelayedAdstock",
    "weibull_pdf": "WeibullPDFAdstock",
    "weibull_cdf": "WeibullCDFAdstock",
    "none": "NoAdstock",
}
SATURATION_CLASSES: Final = {
    "hill": "HillSaturation",
    "logistic": "LogisticSaturation",
    "michaelis_menten": "MichaelisMentenSaturation",
    "tanh": "TanhSaturation",
    "none": "NoSaturation",
}


def build_mmm(spec: MmmSpec, series: MmmSeries, lift_tests: pd.DataFrame | None = None) -> Any:
    """Build a model of pymc-marketing.

    Parameters
    ----------
    spec : MmmSpec
        The model.
    series : MmmSeries
        The data.
    lift_tests : DataFrame, optional
        Columns ``channel``, the geo, ``x``, ``delta_x``, ``delta_y``, ``sigma``, in the units of
        the series.

    Returns
    -------
    pymc_marketing.mmm.MMM
        Built and not yet fitted.

    Raises
    ------
    FitError
        If pymc-marketing is not installed.
    """
    mmm = upstream("mmm")
    columns = spec.columns
    lags = {} if spec.adstock.kind == "none" else {"priors": adstock_priors(spec)}
    over = () if spec.scaling.per_geo or columns.geo is None else (columns.geo,)
    with quiet():
        model = mmm.MMM(
            date_column=columns.date,
            target_column=columns.target,
            channel_columns=list(columns.channels),
            control_columns=list(spec.control_names) or None,
            dims=None if columns.geo is None else (columns.geo,),
            scaling={
                "channel": {"method": "max", "dims": over},
                "target": {"method": "max", "dims": over},
            },
            adstock=getattr(mmm, ADSTOCK_CLASSES[spec.adstock.kind])(
                l_max=spec.adstock.l_max, **lags
            ),
            saturation=getattr(mmm, SATURATION_CLASSES[spec.saturation.kind])(
                priors=saturation_priors(spec)
            ),
            yearly_seasonality=spec.baseline.yearly_seasonality or None,
            model_config=_config(spec),
        )
        model.build_model(series.frame(spec), series.response(spec))
        model.add_original_scale_contribution_variable(var=["channel_contribution"])
        if lift_tests is not None and len(lift_tests):
            model.add_lift_test_measurements(lift_tests)
    return model


def _config(spec: MmmSpec) -> dict[str, Any]:
    config = {INTERCEPT: upstream_prior(spec, INTERCEPT), "likelihood": likelihood(spec)}
    for name in (CONTROL_EFFECT, SEASON_EFFECT):
        if name in spec.parameters:
            config[name] = upstream_prior(spec, name)
    return config
