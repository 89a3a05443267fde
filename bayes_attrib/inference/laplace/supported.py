"""Which models the Laplace approximation serves; all others are refused before anything is done."""

from __future__ import annotations

from bayes_attrib import names
from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.model.families import get_family
from bayes_attrib.model.learned_exposure import learned_of
from bayes_attrib.spec import ModelSpec

_REMEDY = 'leave inference.method at "nuts" (or give --method nuts), which serves every model'
_GAUSSIAN = (names.INTERCEPT, names.BETA, names.BETA_PAIR)


def require_supported(spec: ModelSpec) -> None:
    """Refuse models whose log rates are not linear in effects with normal priors.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Raises
    ------
    SpecError
        If the Laplace approximation does not serve the model; every option in the way is named.
    """
    rates, likelihood = spec.rates, spec.likelihood
    reasons = {
        "rates.drift": rates.drift is not None and "rates that change over time",
        "exposure.channels": bool(learned_of(spec).parameters) and "transforms that are learned",
        "rates.heteroscedastic": rates.heteroscedastic is not None and "a spread for each group",
        "unattributed": spec.unattributed is not None and "an entity of what no exposure explains",
        "likelihood.amounts": likelihood.amounts == "explicit" and "explicit amounts",
        "likelihood.zero_covariates": likelihood.zero_covariates is not None
        and "covariates of zeros",
        "likelihood.family": not likelihood.informs_rates
        and "totals that say nothing about rates: the posterior is that of priors and lift tests, "
        "which is sampled in seconds",
        "likelihood.level": get_family(likelihood).needs_herfindahl
        and f"family {likelihood.family!r} at level {likelihood.level!r}",
    }
    found = [
        Finding(
            "not-served-by-laplace",
            "error",
            where,
            f"method 'laplace' does not serve {what}",
            _REMEDY,
        )
        for where, what in reasons.items()
        if what
    ]
    for name in _GAUSSIAN:
        prior = spec.priors.get(name)
        if prior is not None and prior.dist != "Normal":
            message = f"method 'laplace' needs a Normal prior of {name!r}; got {prior.dist}"
            remedy = f"choose a Normal prior, or {_REMEDY}"
            found.append(
                Finding("not-served-by-laplace", "error", f"priors.{name}", message, remedy)
            )
    if found:
        raise SpecError(f"the spec {spec.name!r} cannot be fitted by method 'laplace':", found)
