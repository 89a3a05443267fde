"""The section ``[exposure]``: how the delivery of entities becomes their exposure."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.exposure.build import Semantics
from bayes_attrib.exposure.channel_transform import ChannelTransform, TransformKey
from bayes_attrib.exposure.parse import parse_transforms
from bayes_attrib.spec.closed import Closed, ColumnName, faults
from bayes_attrib.spec.learned import LEARN, Learned, read_learned

_PATH = "exposure.channels"


class ExposureSpec(Closed):
    """Transforms that make exposures from delivery.

    Attributes
    ----------
    semantics : {"channel_curve", "own_curve"}
        Whether the entities of a channel saturate together or each by itself.
    channel : str
        Column that tells the channel: a key of the aggregates, or a column of the entities.
    period : str
        Key column of the aggregates that tells the time.
    geo : str or None
        Key column of the aggregates by which transforms may differ.
    outside : {"refuse", "carry_over"}
        Delivery in aggregates that have no total, such as weeks before the first one: an error, or
        delivery that is carried over into those that have one.
    totals : {"measured", "mix_model"} or None
        Where totals come from; to be said where anything is learned. Those of a mix model follow
        from its own transforms, so transforms that are learned from them are those of the mix
        model again.
    channels : dict
        By channel, its transform as :func:`bayes_attrib.exposure.parse_transforms` reads it, and
        under ``learn`` priors of those parameters that are unknown.
    """

    semantics: Semantics = "channel_curve"
    channel: ColumnName
    period: ColumnName
    geo: ColumnName | None = None
    outside: Literal["refuse", "carry_over"] = "refuse"
    totals: Literal["measured", "mix_model"] | None = None
    channels: Annotated[dict[str, Any], Field(min_length=1)]

    @property
    def transforms(self) -> dict[TransformKey, ChannelTransform]:
        """Transforms by channel, or by (channel, geo), at their fixed values."""
        return parse_transforms(self.channels, path=_PATH, further=(LEARN,))

    @property
    def learned(self) -> Learned:
        """Parameters that are unknown, and the curves that have them."""
        learned, _ = self._read_learned()
        return learned

    def _read_learned(self) -> tuple[Learned, list[Finding]]:
        own = self.semantics == "own_curve"
        return read_learned(self.channels, self.transforms, own=own, path=_PATH)

    @model_validator(mode="after")
    def _roles_differ(self) -> Self:
        named = {"channel": self.channel, "period": self.period, "geo": self.geo}
        for key, column in named.items():
            others = [other for other, name in named.items() if other < key and name == column]
            if column is not None and others:
                message = f"exposure.{key}: {column!r} is exposure.{others[0]} already"
                remedy = "name a column of its own for each"
                raise faults([Finding("invalid-value", "error", "exposure", message, remedy)])
        return self

    @model_validator(mode="after")
    def _transforms_can_be_used(self) -> Self:
        try:
            learned, found = self._read_learned()
        except SpecError as error:
            raise faults(error.findings) from error
        if learned.parameters and self.totals is None:
            message = "transforms are learned, and the spec does not say where totals come from"
            remedy = (
                'write totals = "measured" if they were observed or estimated without these '
                'transforms, totals = "mix_model" if they are contributions of the mix model '
                "whose transforms these are"
            )
            found.append(Finding("missing-key", "error", "exposure.totals", message, remedy))
        if found:
            raise faults(found)
        return self
