"""From priors and pooling of a spec to the objects by which pymc-marketing knows them."""

from __future__ import annotations

from typing import Any, Final

from scipy.special import digamma, polygamma

from bayes_attrib.mmm_fit.parameters import (
    ADSTOCK_PARAMETERS,
    CONTROL_EFFECT,
    DEFAULT_PRIORS,
    DEFAULT_SPREADS,
    INTERCEPT,
    NOISE,
    SATURATION_PARAMETERS,
    SEASON_EFFECT,
    support_of,
)
from bayes_attrib.mmm_fit.schema import MmmSpec, PoolingSpec
from bayes_attrib.mmm_fit.upstream import upstream
from bayes_attrib.spec.prior import PriorSpec

_OWN_DIMENSION: Final = {CONTROL_EFFECT: "control", SEASON_EFFECT: "fourier_mode"}


def prior_of(spec: MmmSpec, parameter: str) -> PriorSpec:
    """Return the prior of a parameter, the default where the spec gives none."""
    return spec.priors.get(parameter, DEFAULT_PRIORS[parameter])


def pooling_of(spec: MmmSpec, parameter: str) -> PoolingSpec:
    """Return how a parameter differs between geos.

    Where the spec is silent, baselines are separate, ceilings are partially pooled, and all else is
    common: shapes of curves and seasons are hard to tell for each geo.
    """
    if parameter in spec.pooling:
        return spec.pooling[parameter]
    if parameter == INTERCEPT:
        return PoolingSpec(kind="separate")
    ceilings = {"saturation_beta", "saturation_alpha", "saturation_b"}
    return PoolingSpec(kind="partial" if parameter in ceilings else "common")


def upstream_prior(spec: MmmSpec, parameter: str) -> Any:
    """Return the prior of a parameter as pymc-marketing takes it.

    Parameters
    ----------
    spec : MmmSpec
        Priors and pooling.
    parameter : str
        Name of the parameter.

    Returns
    -------
    Prior or SpecialPrior
        With its dimensions. Partial pooling is non-centred. Positive parameters are log-normal over
        geos, with the prior of the parameter for the mean and that of the spread for the standard
        deviation; parameters between 0 and 1 are logit-normal, the level having the mean and the
        variance of the logit of its Beta prior; real ones are normal.
    """
    geo = spec.columns.geo
    own = _own_dimensions(parameter)
    prior = prior_of(spec, parameter)
    pooling = pooling_of(spec, parameter) if geo is not None else PoolingSpec()
    if pooling.kind == "common" or geo is None:
        return _plain(prior, own)
    if pooling.kind == "separate":
        return _plain(prior, (geo, *own))
    return _partial(prior, pooling, parameter, geo, own)


def _own_dimensions(parameter: str) -> tuple[str, ...]:
    if parameter in _OWN_DIMENSION:
        return (_OWN_DIMENSION[parameter],)
    return () if parameter in (INTERCEPT, NOISE) else ("channel",)


def _plain(prior: PriorSpec, dims: tuple[str, ...]) -> Any:
    return _Prior(prior.dist, **prior.parameters, dims=dims or None)


def _partial(
    prior: PriorSpec, pooling: PoolingSpec, parameter: str, geo: str, own: tuple[str, ...]
) -> Any:
    support = support_of(parameter)
    spread = _plain(pooling.spread or DEFAULT_SPREADS[support], own)
    dims = (geo, *own)
    if support == "positive":
        special = upstream("special_priors")
        return special.LogNormalPrior(
            mean=_plain(prior, own), std=spread, dims=dims, centered=False
        )
    if support == "unit":
        a, b = prior.parameters["alpha"], prior.parameters["beta"]
        mean = float(digamma(a) - digamma(b))
        sd = float((polygamma(1, a) + polygamma(1, b)) ** 0.5)
        level = _Prior("Normal", mu=mean, sigma=sd, dims=own or None)
        return _Prior(
            "Normal", mu=level, sigma=spread, dims=dims, centered=False, transform="sigmoid"
        )
    return _Prior("Normal", mu=_plain(prior, own), sigma=spread, dims=dims, centered=False)


def _Prior(dist: str, **settings: Any) -> Any:  # noqa: N802 - the class that it makes
    from pymc_extras.prior import Prior  # noqa: PLC0415 - brings PyMC along

    return Prior(dist, **settings)


def likelihood(spec: MmmSpec) -> Any:
    """Return the likelihood as pymc-marketing takes it.

    Parameters
    ----------
    spec : MmmSpec
        Family, prior and pooling of the noise.

    Returns
    -------
    Prior
        Over date and geo. Student's t has 5 degrees of freedom.
    """
    geo = spec.columns.geo
    sigma = upstream_prior(spec, NOISE)
    dims = ("date",) if geo is None else ("date", geo)
    if spec.likelihood == "student_t":
        return _Prior("StudentT", nu=5.0, sigma=sigma, dims=dims)
    if spec.likelihood == "truncated_normal":
        return _Prior("TruncatedNormal", lower=0.0, sigma=sigma, dims=dims)
    return _Prior("Normal", sigma=sigma, dims=dims)


def adstock_priors(spec: MmmSpec) -> dict[str, Any]:
    """Return priors of the adstock by their short names."""
    names = ADSTOCK_PARAMETERS[spec.adstock.kind]
    return {name.removeprefix("adstock_"): upstream_prior(spec, name) for name in names}


def saturation_priors(spec: MmmSpec) -> dict[str, Any]:
    """Return priors of the saturation by their short names."""
    names = SATURATION_PARAMETERS[spec.saturation.kind]
    return {name.removeprefix("saturation_"): upstream_prior(spec, name) for name in names}
