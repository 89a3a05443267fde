"""What an import keeps of a fitted mix model, whatever package fitted it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure import ChannelTransform, TransformKey

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MixModel:
    """Contributions and transforms of a fitted mix model.

    Attributes
    ----------
    source : str
        Package that fitted it: ``"pymc-marketing"``, ``"meridian"`` or ``"robyn"``.
    files : tuple of Path
        Files that were read.
    channels : tuple of str
        Media channels, shape (n_channels,).
    geos : tuple of str or None
        Geos, shape (n_geos,); None for a national model, which has one place without a name.
    periods : tuple of str
        Periods of the contributions in the order of time, as text; days in ISO's form.
    history : tuple of str
        Earlier periods, from whose delivery the model carries over.
    contributions : ndarray of float, shape (n_chains, n_draws, n_periods, n_geos, n_channels)
        Contributions in the unit of the model's target. One chain of one draw for a point
        estimate.
    has_draws : bool
        Whether draws are draws of a posterior; False for a point estimate.
    transforms : mapping
        Scale, adstock and saturation by channel, or by (channel, geo): what exposures are made
        with.
    parameter_draws : mapping of (str, str or None, str) to ndarray
        Draws of the parameters of transforms by channel, geo and name in the package, each of
        shape (n_chains * n_draws,).
    delivery : ndarray of float or None, shape (n_history + n_periods, n_geos, n_channels)
        Delivery that the model was fitted to; None where the files do not tell.
    facts : mapping
        What else was read, and how it was checked, as plain JSON types.
    """

    source: str
    files: tuple[Path, ...]
    channels: tuple[str, ...]
    geos: tuple[str, ...] | None
    periods: tuple[str, ...]
    contributions: FloatArray
    transforms: Mapping[TransformKey, ChannelTransform]
    history: tuple[str, ...] = ()
    has_draws: bool = True
    parameter_draws: Mapping[tuple[str, str | None, str], FloatArray] = field(default_factory=dict)
    delivery: FloatArray | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_draws(self) -> int:
        """Number of draws over all chains."""
        return self.contributions.shape[0] * self.contributions.shape[1]

    @property
    def places(self) -> tuple[str | None, ...]:
        """Geos, or one place without a name, shape (n_geos,)."""
        return (None,) if self.geos is None else self.geos

    @property
    def file_name(self) -> str:
        """Name of the file, or of the folder, for messages."""
        return self.files[0].name
