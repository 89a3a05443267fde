"""How a saved fit of PyMC-Marketing says that it was specified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayes_attrib.citing import listed, quote
from bayes_attrib.mmm.pymc_curves import (
    OLDER_NAMES,
    PYMC_ADSTOCKS,
    PYMC_SATURATIONS,
    AdstockOf,
    SaturationOf,
)
from bayes_attrib.mmm.refusal import refusal


@dataclass(frozen=True)
class PymcSettings:
    """Settings of a fit, from the attributes of its file.

    Attributes
    ----------
    geo : str or None
        Name of the dimension beside date and channel; None for a national model.
    adstock, saturation : AdstockOf, SaturationOf
        Which they are.
    adstock_prefix, saturation_prefix : str
        What names of their parameters begin with.
    l_max : int
        Number of periods in which a unit works, its own included.
    normalise : bool
        Whether weights are divided by their sum.
    adstock_first : bool
        Whether carry-over comes before saturation.
    facts : mapping
        The same in words, for the record.
    """

    geo: str | None
    adstock: AdstockOf
    saturation: SaturationOf
    adstock_prefix: str
    saturation_prefix: str
    l_max: int
    normalise: bool
    adstock_first: bool
    facts: Mapping[str, Any]


def read_settings(attributes: Mapping[Any, Any], file: str) -> PymcSettings:
    """Read how a fit was specified, and refuse what cannot be imported.

    Parameters
    ----------
    attributes : mapping
        Attributes of the root of the file.
    file : str
        Name of the file, for messages.

    Returns
    -------
    PymcSettings
        The settings.

    Raises
    ------
    DataError
        If the link is not the identity, media vary in time, there is more than one dimension
        beside date and channel, or a transform is unknown.
    """
    _check_link(attributes, file)
    if _parsed(attributes, "time_varying_media", file, default=False) not in (False, None):
        raise refusal(
            "time-varying-media",
            f"{file}, attribute time_varying_media",
            "the effect of media varies in time, which exposures do not know",
            "fit the mix model without time_varying_media",
        )
    dims = _parsed(attributes, "dims", file, default=[]) or []
    if len(dims) > 1:
        raise refusal(
            "too-many-dimensions",
            f"{file}, attribute dims",
            f"the model has {len(dims)} dimensions beside date and channel: {listed(list(dims))}",
            "fit it with one of them, or with none",
        )
    adstock = _parsed(attributes, "adstock", file)
    saturation = _parsed(attributes, "saturation", file)
    adstock_name = _kind(adstock, PYMC_ADSTOCKS, f"{file}, attribute adstock")
    saturation_name = _kind(saturation, PYMC_SATURATIONS, f"{file}, attribute saturation")
    mode = str(adstock.get("mode", "After"))
    if mode.rsplit(".", maxsplit=1)[-1].casefold() != "after":
        raise refusal(
            "unknown-mode",
            f"{file}, attribute adstock",
            f"the carry-over has the mode {quote(mode)}, which works before delivery",
            "fit the mix model with the mode After",
        )
    l_max, normalise = int(adstock.get("l_max", 1)), bool(adstock.get("normalize", True))
    first = bool(_parsed(attributes, "adstock_first", file, default=True))
    facts = {
        "link": str(attributes.get("link", "identity")),
        "adstock": {"kind": adstock_name, "l_max": l_max, "normalize": normalise},
        "saturation": {"kind": saturation_name},
        "adstock_first": first,
        "model_version": str(attributes.get("version", "")),
    }
    return PymcSettings(
        geo=str(dims[0]) if dims else None,
        adstock=PYMC_ADSTOCKS[adstock_name],
        saturation=PYMC_SATURATIONS[saturation_name],
        adstock_prefix=str(adstock.get("prefix") or "adstock"),
        saturation_prefix=str(saturation.get("prefix") or "saturation"),
        l_max=l_max,
        normalise=normalise,
        adstock_first=first,
        facts=facts,
    )


def _check_link(attributes: Mapping[Any, Any], file: str) -> None:
    link = str(attributes.get("link", "identity"))  # releases without the attribute know no other
    if link != "identity":
        raise refusal(
            "unsupported-link",
            f"{file}, attribute link",
            f"the link is {quote(link)}, so channels multiply the response and have no "
            "contributions that add up",
            "fit the mix model with link='identity'",
        )


def _parsed(attributes: Mapping[Any, Any], key: str, file: str, **default: Any) -> Any:
    if key not in attributes:
        if "default" in default:
            return default["default"]
        raise refusal(
            "missing-attribute",
            file,
            f"there is no attribute {quote(key)}",
            "save the fitted model with its own method save, of pymc-marketing's MMM with dims",
        )
    try:
        return json.loads(str(attributes[key]))
    except json.JSONDecodeError as error:
        raise refusal(
            "invalid-attribute",
            f"{file}, attribute {key}",
            f"is not JSON: {quote(str(attributes[key]))}",
            "save the fitted model with its own method save",
        ) from error


def _kind(given: Any, known: Mapping[str, Any], where: str) -> str:
    table = given if isinstance(given, dict) else {}
    typed = str(table.get("__type__", "")).rsplit(".", maxsplit=1)[-1]
    name = typed or OLDER_NAMES.get(
        str(table.get("lookup_name", "")), str(table.get("lookup_name", ""))
    )
    if name not in known:
        raise refusal(
            "unknown-transform",
            where,
            f"{quote(name)} is not known" if name else "does not tell its kind",
            f"fit the mix model with one of {', '.join(known)}",
        )
    return name
