"""Which channel everything in a run belongs to: rates of two channels have no common unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution import grain_of
from bayes_attrib.errors import ComparisonError
from bayes_attrib.inputs.aggregate_data import AggregateData
from bayes_attrib.report.labels import printable
from bayes_attrib.spec import ModelSpec

_CHANNEL: Final = "channel"


@dataclass(frozen=True, eq=False)
class Channels:
    """Channels of the entities, or of the levels of a grouping.

    Attributes
    ----------
    column : str or None
        Where channels are told: the top nested level of the spec, else a grouping or a key column
        of the aggregates whose name is "channel" in upper or lower case; None if there is none.
    of : dict of str to tuple of str
        Channels by name, in the order of the names; several where a name has exposure in several.
        A run without channels has one, of empty name. What no exposure explains is of the channel
        "unattributed", since its exposure is nobody's delivery.
    """

    column: str | None
    of: dict[str, tuple[str, ...]]

    def in_one(self, chosen: Iterable[str]) -> bool:
        """Say whether names are all of one channel."""
        return len({channel for name in chosen for channel in self.of[name]}) == 1

    def require_one(self, chosen: Sequence[str], exposure: str) -> None:
        """Refuse to compare the rates of names that are not all of one channel.

        Parameters
        ----------
        chosen : sequence of str
            Names to compare.
        exposure : str
            Column of the exposure, for the message.

        Raises
        ------
        ComparisonError
            If there are several channels.
        """
        if self.in_one(chosen):
            return
        raise ComparisonError(
            f"rates are compared within one channel, and {self._contrast(chosen)}: a rate is per "
            f"unit of {exposure}, and the unit and the saturation of one channel are not those of "
            "another, so the higher rate need not be the better one; compare amounts or shares "
            "(--on amount, --on share), or add --across-channels if their exposures do have one "
            "unit"
        )

    def _contrast(self, chosen: Sequence[str]) -> str:
        """Say of which channels the first two names are that differ."""
        for name in chosen:
            if len(self.of[name]) > 1:
                return f"{printable(name)!r} spans {_listed(self.of[name])}"
        first = chosen[0]
        other = next(name for name in chosen if self.of[name] != self.of[first])
        if self.of[first] == (first,) and self.of[other] == (other,):
            return f"{printable(first)!r} and {printable(other)!r} are two"
        return " and ".join(
            f"{printable(name)!r} is of {printable(self.of[name][0]) or 'no channel'}"
            for name in (first, other)
        )


def channels_of(data: AggregateData, spec: ModelSpec, level: str) -> Channels:
    """Find the channels of everything at a level.

    Parameters
    ----------
    data : AggregateData
        Cells, groupings and keys of a run.
    spec : ModelSpec
        Its spec.
    level : str
        ``"entity"``, the entity's key, or a grouping column.

    Returns
    -------
    Channels
        Channels by name.
    """
    grain = grain_of(data, [level])
    column = channel_column(data, spec)
    channel = np.full(data.n_edges, "", dtype=object)
    if column is not None:
        of_cells = grain_of(data, [column])
        channel = of_cells.labels[column].to_numpy(dtype=object)[of_cells.row]
    channel[data.edge_entity >= data.n_attributable] = names.UNATTRIBUTED
    found = pd.DataFrame({"row": grain.row, "channel": channel}).drop_duplicates()
    labels = grain.labels[level].tolist()
    of: dict[str, tuple[str, ...]] = dict.fromkeys(labels, ())
    found = found.sort_values(["row", "channel"])
    for row, name in zip(found["row"].tolist(), found["channel"].tolist(), strict=True):
        of[labels[row]] += (name,)
    return Channels(column, of)


def channel_column(data: AggregateData, spec: ModelSpec) -> str | None:
    """Return the column that tells the channel of an entity; None where nothing does."""
    if spec.rates.nested:
        return spec.rates.nested[0]
    columns = [*data.groupings, *data.aggregate_keys.columns]
    return next((column for column in columns if column.lower() == _CHANNEL), None)


def _listed(channels: tuple[str, ...]) -> str:
    shown = [printable(channel) for channel in channels[:3]]
    more = f" and {len(channels) - 3:,} more" if len(channels) > 3 else ""
    return f"the channels {', '.join(shown)}{more}"
