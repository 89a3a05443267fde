"""The spec that fits imported tables, as TOML."""

from __future__ import annotations

import json
from typing import Final

from bayes_attrib.exposure import DeliveryColumns
from bayes_attrib.mmm.mix_model import MixModel

_HEAD: Final = """\
# Contributions of a marketing mix model ({source}), split within each channel.
#
# What a total means is inherited from the mix model: it is as causal as that model is. How a total
# is split below the channel is told by this model, from delivery, groups and assumptions, unless a
# lift test informs it.
"""

_TOTALS: Final = """
# Totals are estimates. Each draw of the split is that of one draw of all totals together, as
# total_draws.parquet has them. That costs no more than "plugin", which takes totals as known and
# gives intervals that are too narrow for amounts. Where totals say something about rates, as with
# family "gamma" or lift tests, "cut" infers rates anew from each of some draws.
[totals]
uncertainty = "paired"
"""

_GIVEN: Final = """\
# The mix model computed these totals from the delivery of all entities together, in which a unit of
# one counts as much as that of another. Read as observations they would prove that all rates of a
# channel are equal; so they are split, and say nothing about rates. What does: covariates with
# priors, and lift tests. Where totals were measured independently of the mix model, choose "gamma".
[likelihood]
family = "given"
"""

_LEARNED: Final = """\
# Transforms can only be learned from totals that are read as observations. Their noise is shared by
# the entities of an aggregate; its coefficient of variation is 1 / sqrt(alpha).
[likelihood]
family = "gamma"
level  = "aggregate"
"""

_BODY: Final = """
schema_version = 1
name = "imported_mmm"

[columns]
aggregate = {aggregate}
entity    = {entity}
{delivery}
{likelihood}{rates}{totals}
[inference]
method = "nuts"
seed   = 1

[report]
period   = {period}
interval = {{ kind = "hdi", prob = 0.94 }}
"""


def spec_text(
    model: MixModel, columns: DeliveryColumns, pooling: tuple[str, ...], *, exposure: str = ""
) -> str:
    """Return a spec that fits imported tables.

    Parameters
    ----------
    model : MixModel
        What was imported.
    columns : DeliveryColumns
        Names of the columns of the tables.
    pooling : tuple of str
        Columns of the entities that rates are pooled over.
    exposure : str
        The section ``[exposure]``, where transforms are learned; exposures are then made of the
        delivery, and totals are read as measured.

    Returns
    -------
    str
        TOML.
    """
    keys = [columns.channel, columns.period, *((columns.geo,) if columns.geo else ())]
    rates = "" if not pooling else f"\n[rates]\npooling = {_toml(list(pooling))}\n"
    text = _HEAD.format(source=model.source) + _BODY.format(
        aggregate=_toml(keys),
        entity=_toml(columns.entity),
        rates=rates,
        delivery=f"delivery  = {_toml(columns.delivery)}\n" if exposure else "",
        likelihood=_LEARNED if exposure else _GIVEN,
        totals=_TOTALS if model.has_draws else "",
        period=_toml(columns.period),
    )
    return text + exposure


def _toml(value: str | list[str]) -> str:
    """Return text or a list of texts in TOML, whose basic strings are those of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
