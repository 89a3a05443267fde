"""Whether a fit of a mix model may be believed: the same checks and bounds as everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bayes_attrib.inference.diagnostics import (
    BFMI,
    CHAINS,
    DIVERGENT_FRACTION,
    EFFECTIVE_SAMPLE_SIZE,
    MAX_DEPTH_FRACTION,
    RHAT,
    TAIL_PROBABILITY,
    Bounds,
    Check,
    Diagnostics,
    finite_check,
    make_check,
)
from bayes_attrib.inference.mixing import energy_fractions, ess_bulk, ess_tail, rhat
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm_fit.fit import MmmFit

_MADE_FROM_OTHERS: Final = ("_offset",)


def parameter_columns(fit: MmmFit) -> dict[str, FloatArray]:
    """Return the draws of each element of each parameter by a name such as ``beta[TV, north]``.

    Parameters
    ----------
    fit : MmmFit
        The fit.

    Returns
    -------
    dict of str to ndarray, shape (n_chains, n_draws)
        Parameters that take a prior, those of pooling included, but for the standardised
        differences by which pooling is sampled.
    """
    posterior = fit.posterior
    wanted = [variable.name for variable in fit.model.model.free_RVs]
    wanted += [name for name in fit.spec.parameters if name in posterior and name not in wanted]
    columns: dict[str, FloatArray] = {}
    for name in wanted:
        if name in posterior and not name.endswith(_MADE_FROM_OTHERS):
            columns.update(_elements(posterior[name]))
    return columns


def _elements(variable: xr.DataArray) -> dict[str, FloatArray]:
    dims = [dim for dim in variable.dims if dim not in ("chain", "draw")]
    values = variable.transpose("chain", "draw", *dims).to_numpy()
    found = {}
    for place in np.ndindex(*values.shape[2:]):
        labels = [str(variable[dim].to_numpy()[i]) for dim, i in zip(dims, place, strict=True)]
        name = f"{variable.name}[{', '.join(labels)}]" if labels else str(variable.name)
        found[name] = np.asarray(values[(slice(None), slice(None), *place)], dtype=np.float64)
    return found


def contribution_columns(fit: MmmFit) -> dict[str, FloatArray]:
    """Return the draws of the total contribution of each channel, shape (n_chains, n_draws)."""
    geo = fit.spec.columns.geo
    over = ["date", *([geo] if geo else [])]
    totals = fit.posterior["channel_contribution_original_scale"].sum(over)
    return {
        f"contribution of {name}": np.asarray(
            totals.sel(channel=name).transpose("chain", "draw").to_numpy(), dtype=np.float64
        )
        for name in fit.series.channels
    }


def judge(fit: MmmFit) -> Diagnostics:
    """Check the draws and the sampler.

    Parameters
    ----------
    fit : MmmFit
        The fit.

    Returns
    -------
    Diagnostics
        Verdict, checks, and no findings: those of the data travel beside it.
    """
    stats = fit.sample_stats
    checks = [finite_check(fit.posterior[sorted({n.partition("[")[0] for n in _names(fit)})])]
    for kind, columns in (
        ("parameters", parameter_columns(fit)),
        ("contributions", contribution_columns(fit)),
    ):
        checks += _mixing(kind, columns)
    fractions = energy_fractions(np.asarray(stats["energy"].to_numpy(), dtype=np.float64))
    checks += [
        _fraction("divergent_fraction", stats["diverging"].to_numpy(), DIVERGENT_FRACTION),
        _fraction("max_depth_fraction", stats["maxdepth_reached"].to_numpy(), MAX_DEPTH_FRACTION),
        make_check("min_bfmi", float(fractions.min()), BFMI, "energy of the worst chain"),
        make_check("chains", fit.posterior.sizes["chain"], CHAINS, "chains that can disagree"),
    ]
    return Diagnostics(tuple(checks))


def mixing_table(columns: Mapping[str, FloatArray]) -> pd.DataFrame:
    """Return R-hat and effective sizes of each column of draws.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_chains, n_draws)
        Draws by name.

    Returns
    -------
    DataFrame
        Columns ``name``, ``rhat``, ``ess_bulk``, ``ess_tail``.
    """
    draws = np.stack(list(columns.values()))
    return pd.DataFrame(
        {
            "name": list(columns),
            "rhat": rhat(draws),
            "ess_bulk": ess_bulk(draws),
            "ess_tail": ess_tail(draws, TAIL_PROBABILITY),
        }
    )


def _names(fit: MmmFit) -> Sequence[str]:
    return [*parameter_columns(fit), "channel_contribution_original_scale", "mu"]


def _mixing(kind: str, columns: Mapping[str, FloatArray]) -> list[Check]:
    table = mixing_table(columns)
    return [
        _worst(f"max_rhat_{kind}", table["name"], table["rhat"], RHAT),
        _worst(f"min_ess_bulk_{kind}", table["name"], table["ess_bulk"], EFFECTIVE_SAMPLE_SIZE),
        _worst(f"min_ess_tail_{kind}", table["name"], table["ess_tail"], EFFECTIVE_SAMPLE_SIZE),
    ]


def _worst(name: str, labels: pd.Series, values: pd.Series, bounds: Bounds) -> Check:
    """Check the worst of several values; NaN is worse than any number."""
    found = values.to_numpy(dtype=np.float64)
    worst = np.max(found) if bounds.comparison == "<=" else np.min(found)
    at = int(np.argmax(np.isnan(found) if np.isnan(worst) else found == worst))
    return make_check(name, float(worst), bounds, f"worst: {labels.iloc[at]}")


def _fraction(name: str, flags: Any, bounds: Bounds) -> Check:
    flagged = np.asarray(flags, dtype=bool)
    detail = f"{int(flagged.sum())} of {flagged.size} draws"
    return make_check(name, float(flagged.mean()), bounds, detail)
