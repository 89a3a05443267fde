"""What a predictive check that warns means, and what to do about it."""

from __future__ import annotations

import numpy as np

from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families import Family
from bayes_attrib.spec.likelihood import LEVELS


def of_dispersion(family: Family, ratio: float, total: float, noise: float) -> Finding:
    """Totals spread more, or less, than the family allows.

    Parameters
    ----------
    family : Family
        Likelihood of the fit.
    ratio : float
        Spread over what is expected.
    total, noise : float
        A typical total, and its standard deviation as the family has it, relative to it.
    """
    message = (
        f"the totals spread {ratio:.2f} times as much around their expectations as "
        f"{_named(family)} allows, so intervals are too {'narrow' if ratio > 1 else 'wide'}: for a "
        f"total of {total:.4g} it claims a noise of {noise:.1%}, where the data show "
        f"{noise * ratio**0.5:.1%}"
    )
    return _warning("dispersion", message, _remedy_of_spread(family, ratio))


def _remedy_of_spread(family: Family, ratio: float) -> str:
    spread = family.name.replace("poisson", "negative_binomial")
    if spread != family.name and ratio > 1:
        return (
            f'set likelihood.family = "{spread}" (try level = "pair" and level = "aggregate"), '
            'or "gamma" if the totals are money'
        )
    if spread == family.name:
        return f"{_try_level(family)}, or another family of the likelihood"
    return "look for totals that were smoothed, capped or imputed: counts scatter more than this"


def of_zeros(family: Family, found: int, expected: float) -> Finding:
    """There are more zeros, or fewer, than the family expects."""
    few_or_many = "more" if found > expected else "fewer"
    message = (
        f"{found} totals are zero, {few_or_many} than the {expected:.3g} that {_named(family)} "
        "expects"
    )
    if _has_excess_zeros(family):
        remedy = (
            "let the probability of a zero depend on the aggregate: likelihood.zero_covariates"
            if found > expected
            else f'set likelihood.family = "{family.name.removeprefix("zero_inflated_")}"'
        )
    elif found > expected:
        remedy = f'set likelihood.family = "zero_inflated_{family.name}"'
        if family.name == "poisson":
            remedy += ', or "negative_binomial" if the other totals spread too much as well'
    else:
        remedy = "look for zeros that were left out of the data, or for a baseline (unattributed)"
    return _warning("zeros", message, remedy)


def of_extremes(
    family: Family, label: str, total: float, expected: float, figures: tuple[float, float]
) -> Finding:
    """One total lies farther out, or all lie closer in, than the family expects.

    Parameters
    ----------
    family : Family
        Likelihood of the fit.
    label : str
        The aggregate of the largest residual.
    total, expected : float
        Its total, and the expectation.
    figures : tuple of float
        Its residual, and the size of the largest residual that is expected, both in sd.
    """
    found, usual = figures
    message = (
        f"the total of {label}, {total:.6g} where {expected:.4g} are expected, is "
        f"{abs(found):.1f} sd off; the largest of so many totals is {usual:.1f} sd off under "
        f"{_named(family)}"
    )
    if abs(found) < usual:
        return _warning("extremes", message, _remedy_of_spread(family, ratio=0.0))
    remedy = f"check this total; if it is right, set likelihood.family = {_heavier(family)}"
    return _warning("extremes", message, remedy)


def of_spread_by_size(family: Family, ratios: FloatArray) -> Finding:
    """Large totals spread otherwise than small ones, by more than the family knows of."""
    figures = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    largest = "more" if ratios[-1] > np.median(ratios) else "less"
    message = (
        f"from the smallest fifth of the totals to the largest, they spread {figures} times as "
        f"much as {_named(family)} allows; large totals spread {largest} than it thinks"
    )
    return _warning("size-spread", message, _try_level(family))


def of_levels(column: str, level: str, ratio: float) -> Finding:
    """The totals of one level of a key lie to one side of their expectations."""
    message = (
        f"totals do not fit by {column}: those of {level} are {ratio:.2f} times what is expected, "
        "by more than noise"
    )
    remedy = (
        f'let each level have a factor of its own: rates.aggregate_effects = ["{column}"], or '
        "rates.drift if it tells the time"
    )
    return _warning("levels", message, remedy)


def _warning(code: str, message: str, remedy: str) -> Finding:
    return Finding(code, "warning", "likelihood", message, remedy)


def _named(family: Family) -> str:
    level = f" at {family.level} level" if family.level else ""
    return f"{family.name}{level}"


def _has_excess_zeros(family: Family) -> bool:
    return family.name.startswith(("zero_inflated_", "hurdle_"))


def _try_level(family: Family) -> str:
    if family.level is None:
        spread = family.name.replace("poisson", "negative_binomial")
        return f'set likelihood.family = "{spread}", at either level'
    return f'try likelihood.level = "{_other_level(family)}"'


def _heavier(family: Family) -> str:
    """The family of the same kind with the heavier tail, in quotes."""
    for light, heavy in (("poisson", "negative_binomial"), ("gamma", "lognormal")):
        if family.name.endswith(light):
            return f'"{family.name.removesuffix(light)}{heavy}"'
    return f'"{family.name}" with level = "{_other_level(family)}"'


def _other_level(family: Family) -> str:
    return next(level for level in LEVELS[family.name] if level != family.level)
