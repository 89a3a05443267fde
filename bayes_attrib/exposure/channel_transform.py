"""What turns the delivery of a channel into effective exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bayes_attrib.exposure.adstock_kinds import Adstock, NoAdstock
from bayes_attrib.exposure.checks import require_positive
from bayes_attrib.exposure.saturation_kinds import NoSaturation, Saturation

# A channel, or a channel in one geo.
TransformKey = str | tuple[str, str]


@dataclass(frozen=True)
class ChannelTransform:
    """Scale, carry-over and saturation of a channel, or of a channel in one geo.

    Attributes
    ----------
    adstock : Adstock
        Carry-over into later periods; none by default.
    saturation : Saturation
        Curve of response; none by default.
    scale : float
        Delivery is divided by it before anything else, so that parameters have the unit that the
        mix model gave them; positive.
    saturation_first : bool
        Saturate the delivery of each period and carry over the result, rather than saturate what
        was carried over.
    """

    adstock: Adstock = field(default_factory=NoAdstock)
    saturation: Saturation = field(default_factory=NoSaturation)
    scale: float = 1.0
    saturation_first: bool = False

    def __post_init__(self) -> None:
        require_positive(self.scale, name="scale")


def transform_for(
    transforms: Mapping[TransformKey, ChannelTransform], channel: str, geo: str | None
) -> ChannelTransform | None:
    """Return the transform of a channel in a geo, else that of the channel, else None.

    Parameters
    ----------
    transforms : mapping
        Transforms by channel, and by (channel, geo) where a geo has parameters of its own.
    channel : str
        Channel.
    geo : str or None
        Geo; None where there are no geos.

    Returns
    -------
    ChannelTransform or None
        The transform, or None where neither is given.
    """
    own = None if geo is None else transforms.get((channel, geo))
    return transforms.get(channel) if own is None else own
