"""Names as people see them: of entities, of checks, of parameters."""

from __future__ import annotations

from datetime import datetime
from typing import Final

# Control characters would vanish from a page and act on a terminal; show the picture of each.
_PICTURES: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
}

# On a page, <bdi> keeps these to the name that holds them. A terminal has nothing like it.
_BIDI_CONTROLS: Final = {
    code: f"\\u{code:04x}"
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}

_CHECKS: Final = (
    ("max_rhat_", "Largest R-hat of {}", "Do the chains agree? At 1 they cannot be told apart."),
    (
        "min_ess_bulk_",
        "Smallest effective sample size of {}, bulk",
        "How many independent draws the chains are worth for a mean.",
    ),
    (
        "min_ess_tail_",
        "Smallest effective sample size of {}, tails",
        "How many independent draws the chains are worth for the end of an interval.",
    ),
    (
        "variables_with_non_finite_draws",
        "Variables with draws that are not finite",
        "Did the computation overflow, or stop half-way?",
    ),
    (
        "divergent_fraction",
        "Fraction of divergent draws",
        "Did the sampler lose its way? Where it does, bias can hide.",
    ),
    (
        "max_depth_fraction",
        "Fraction of draws at the greatest tree depth",
        "Were trajectories cut short? That is slow, but not biased.",
    ),
    (
        "min_bfmi",
        "Smallest energy fraction (BFMI)",
        "Does the sampler move freely between the middle and the tails?",
    ),
    (
        "dispersion_p_value",
        "Spread of the totals (posterior predictive p-value)",
        "Do totals scatter around their expectations as the family says?",
    ),
    (
        "zeros_p_value",
        "Number of zero totals (posterior predictive p-value)",
        "Are as many totals zero as the family expects?",
    ),
    (
        "extremes_p_value",
        "Largest residual (posterior predictive p-value)",
        "Is the most surprising total one that the family can explain?",
    ),
    (
        "size_spread_p_value",
        "Spread of small and of large totals (posterior predictive p-value)",
        "Does noise grow with the size of a total as the family says?",
    ),
    (
        "levels_p_value_",
        "Totals by {} (posterior predictive p-value)",
        "Do the totals of each level lie around their expectations?",
    ),
    ("chains", "Number of chains", "Are there enough chains to disagree?"),
)


def printable(name: str) -> str:
    """Return a name with its control characters made visible, all else as given."""
    return name.translate(_PICTURES)


def terminal_label(name: str) -> str:
    """Return a name that cannot act on a terminal or turn the direction of a line."""
    return name.translate(_PICTURES | _BIDI_CONTROLS)


def describe_check_name(name: str) -> tuple[str, str]:
    """Return what a check measures, and the question that it answers.

    Parameters
    ----------
    name : str
        Name of a check, such as ``"max_rhat_shares"``.

    Returns
    -------
    tuple of str
        Such as ``("Largest R-hat of shares", "Do the chains agree? ...")``; for an unknown check
        its name in words and an empty question.
    """
    for prefix, label, question in _CHECKS:
        if name.startswith(prefix):
            return label.format(name.removeprefix(prefix)), question
    return title_of(name), ""


def title_of(name: str) -> str:
    """Return a name in words, first letter large: ``coupon_campaigns`` is 'Coupon campaigns'."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def moment(text: str) -> str:
    """Return an ISO time to the minute: ``2026-11-22 10:00 UTC``; any other text as given."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return printable(text)
    return f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".strip()
