"""The curves that a plan's delivery works through: those of a spec, or of an imported mix model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bayes_attrib.errors import DataError, Finding, SpecError
from bayes_attrib.exposure import ChannelTransform, DeliveryColumns, Semantics, parse_transforms
from bayes_attrib.exposure.channel_transform import TransformKey
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class PlanCurves:
    """How planned delivery becomes exposure.

    Attributes
    ----------
    transforms : mapping
        Scale, adstock and saturation by channel, or by (channel, geo).
    semantics : {"own_curve", "channel_curve"}
        Whether entities saturate by themselves or with their channel.
    columns : DeliveryColumns
        Names of the columns of a plan.
    """

    transforms: Mapping[TransformKey, ChannelTransform]
    semantics: Semantics
    columns: DeliveryColumns

    def __post_init__(self) -> None:
        first = [key for key, curve in self.transforms.items() if curve.saturation_first]
        if first:
            raise SpecError(
                "a budget cannot be split by these curves:",
                [
                    Finding(
                        "saturation-first",
                        "error",
                        f"transforms of {first[0]}",
                        "delivery is saturated before it is carried over, which budgets do not "
                        "serve",
                        "use transforms that carry delivery over first",
                    )
                ],
            )

    @classmethod
    def of_spec(cls, spec: ModelSpec) -> Self:
        """Return the curves of a spec's section ``[exposure]``.

        Raises
        ------
        SpecError
            If there is no such section, or parameters of the curves are unknown.
        """
        section = spec.exposure
        if section is None:
            raise _refusal(
                "no-curves",
                "exposure",
                "the run was fitted to exposures, and nothing tells how delivery becomes exposure",
                "name the record of an import with --curves import.json, or fit a spec with a "
                "section [exposure] to delivery",
            )
        if section.learned.parameters:
            raise _refusal(
                "learned-curves",
                "exposure.channels",
                "the curves were learned, and budgets need curves that are known",
                "fix their parameters in the spec, such as at the means that the run reports, and "
                "fit again",
            )
        columns = DeliveryColumns(
            spec.columns.entity,
            section.channel,
            section.period,
            delivery=spec.delivery_column,
            geo=section.geo,
        )
        return cls(section.transforms, section.semantics, columns)

    @classmethod
    def of_import(cls, path: Path) -> Self:
        """Return the curves that ``import-mmm`` recorded as ``import.json``.

        Raises
        ------
        DataError
            If the file is no such record.
        """
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            named = dict(record["options"]["columns"])
            columns = DeliveryColumns(**{**named, "others": tuple(named.get("others", ()))})
            transforms = parse_transforms(_nested(record["transforms"]), path="transforms")
            return cls(transforms, record["options"]["semantics"], columns)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                "the curves cannot be read:",
                [
                    Finding(
                        "no-import-record",
                        "error",
                        path.name,
                        f"this is no record of an import ({type(error).__name__}: {error})",
                        "name the file import.json that import-mmm wrote beside its tables",
                    )
                ],
            ) from error


def _nested(transforms: list[dict[str, Any]]) -> dict[str, Any]:
    """Return rows of transforms as the table of channels that a spec would hold."""
    channels: dict[str, Any] = {}
    for row in transforms:
        curve = {key: value for key, value in row.items() if key not in {"channel", "geo"}}
        channel = channels.setdefault(row["channel"], {})
        if row.get("geo") is None:
            channel.update(curve)
        else:
            channel.setdefault("geos", {})[row["geo"]] = curve
    return channels


def _refusal(code: str, where: str, message: str, remedy: str) -> SpecError:
    headline = "the run does not tell what a budget would bring:"
    return SpecError(headline, [Finding(code, "error", where, message, remedy)])
