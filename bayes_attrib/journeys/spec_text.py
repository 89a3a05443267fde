"""The spec that splits totals made from journeys, as TOML."""

from __future__ import annotations

import json
from typing import Final

from bayes_attrib.spec.journeys import CUSTOMER_DAYS, JourneySpec

_TEXT: Final = """\
# {outcome} by {keys}, split by the touches of the same customers.
#
# Exposures are all touches, those of customers who never converted among them. What no touch
# explains goes to an entity of its own; its exposure is the number of customers times days.
# The split is model-based: it is causal only if touches did not follow demand.

schema_version = 1
name = "{name}_totals"

[columns]
aggregate = {aggregate}
entity    = {entity}

{likelihood}{rates}
[unattributed]
exposure = "{customer_days}"

[inference]
method = "nuts"
seed   = 1
tune   = 1000
target_accept = 0.98

[report]
period   = "{period}"
interval = {{ kind = "hdi", prob = 0.94 }}
"""

_COUNTS: Final = """\
# Conversions are counts that scatter more than Poisson: days, weather and offers are shared.
[likelihood]
family = "negative_binomial"
level  = "aggregate"
"""

_MONEY: Final = """\
# Values are no counts{zeros}.
[likelihood]
family = "{family}"
level  = "aggregate"
"""


def spec_text(spec: JourneySpec, groups: tuple[str, ...], *, some_totals_are_zero: bool) -> str:
    """Return a spec for totals made from journeys.

    Parameters
    ----------
    spec : JourneySpec
        Names of columns, period, outcome.
    groups : tuple of str
        Columns of the touchpoints to pool over.
    some_totals_are_zero : bool
        Whether there are periods and places without any value.

    Returns
    -------
    str
        TOML.
    """
    columns, totals = spec.columns, spec.totals
    keys = [totals.period, *([] if columns.geo is None else [columns.geo])]
    money = _MONEY.format(
        zeros=", and in some periods nothing was sold" if some_totals_are_zero else "",
        family="hurdle_gamma" if some_totals_are_zero else "gamma",
    )
    return _TEXT.format(
        outcome="Values" if totals.outcome == "value" else "Conversions",
        keys=" and ".join(_printable(key) for key in keys),
        name=spec.name,
        aggregate=_toml(keys),
        entity=_toml(columns.touchpoint),
        likelihood=_COUNTS if totals.outcome == "conversions" else money,
        rates=f"\n[rates]\npooling = {_toml(list(groups))}\n" if groups else "",
        customer_days=CUSTOMER_DAYS,
        period=totals.period,
    )


def _printable(text: str) -> str:
    """Return a name for a comment, which must stay on its line."""
    return "".join(character if character.isprintable() else " " for character in text)


def _toml(value: str | list[str]) -> str:
    """Return text or a list of texts in TOML, whose basic strings are those of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
