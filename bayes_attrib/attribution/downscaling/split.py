"""The law of a cell's amounts in its slots, given the cell's amount in every draw.

With shares q of the slots, money a is a q, or a p with p ~ Dirichlet(C q) where the profile is
uncertain with the concentration C; counts are Multinomial(a, q), or Multinomial(a, p).
Means are a q in each case. Given a, the variance in a slot is a**2 q (1 - q) / (C + 1) for money,
a q (1 - q) for counts with a known profile, and a q (1 - q) (C + a) / (C + 1) for counts with an
uncertain one (Johnson, Kotz and Balakrishnan 1997, Discrete Multivariate Distributions,
chapter 35).

A long profile is split in two stages, first between stretches of slots and then within each: the
Dirichlet and the multinomial law both allow that exactly, so memory stays bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bayes_attrib.attribution.downscaling.profiles import Profiles
from bayes_attrib.inference.draw_matrix import BLOCK_ELEMENTS
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray

_STREAM: Final = 17
_OF_PROFILE, _OF_CELL = 0, 1
_LOG_SHAPE: Final = 0.2
"""Below this shape, Gamma draws may all be too small for double precision."""
_ITEMS_PER_SLOT: Final = 0.3
"""With fewer items per slot, placing items one by one is faster than a binomial per slot."""
_CACHED_ELEMENTS: Final = 4 * BLOCK_ELEMENTS


@dataclass(frozen=True)
class SplitLaw:
    """What the amounts of slots are, given their cell's.

    Attributes
    ----------
    counts : bool
        Whether amounts are whole numbers, and stay so.
    concentration : float or None
        Concentration C of the Dirichlet law of a profile; None for a profile that is known.
    seed : int
        Seed of everything random. Draws do not depend on what else is downscaled.
    """

    counts: bool
    concentration: float | None = None
    seed: int = 1

    @property
    def is_proportional(self) -> bool:
        """Whether nothing is random: each slot gets its share of every draw."""
        return not self.counts and self.concentration is None

    def rng(self, kind: int, index: int, stage: int) -> np.random.Generator:
        """Return the source of randomness of one profile, or of one cell, at one stage."""
        return np.random.default_rng([self.seed, _STREAM, kind, index, stage])


class _Place(NamedTuple):
    """Which random numbers are meant: of a profile and a cell, at a stage."""

    profile: int
    cell: int
    stage: int


@dataclass(eq=False)
class Splitter:
    """Splits cells; cells with the same profile see the same draws of its shares.

    Attributes
    ----------
    profiles : Profiles
        Shares of slots.
    law : SplitLaw
        Law of the amounts.
    most_elements : int
        Slots times draws that are drawn at once.
    """

    profiles: Profiles
    law: SplitLaw
    most_elements: int = BLOCK_ELEMENTS
    _cache: OrderedDict[tuple[int, int], FloatArray] = field(default_factory=OrderedDict)

    def split(self, cell: int, amounts: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """Split the amounts of a cell over the slots of its profile.

        Parameters
        ----------
        cell : int
            A cell that has a profile.
        amounts : ndarray, shape (n_draws,)
            Amount of the cell in every draw; whole numbers under counts.

        Yields
        ------
        entries : slice
            Entries of the profiles that come next.
        drawn : ndarray, shape (n_chosen, n_draws)
            Amounts of these slots; over all of them they sum to ``amounts`` in every draw.
        """
        place = _Place(int(self.profiles.of_cell[cell]), cell, 0)
        entries = self.profiles.entries(place.profile)
        share = self.profiles.share[entries]
        most = max(2, self.most_elements // max(1, len(amounts)))
        if len(share) <= most:
            yield entries, self._stage(place, amounts, share, 1.0)
            return
        starts = np.arange(0, len(share), most)
        stretches = np.add.reduceat(share, starts)
        between = self._stage(place, amounts, stretches, 1.0)
        for i, (start, part) in enumerate(zip(starts.tolist(), stretches, strict=True)):
            inside = share[start : start + most]
            found = slice(entries.start + start, entries.start + start + len(inside))
            if part == 0:
                yield found, np.zeros((len(inside), len(amounts)))
            else:
                at = place._replace(stage=i + 1)
                yield found, self._stage(at, between[i], inside / part, float(part))

    def _stage(
        self, place: _Place, amounts: FloatArray, share: FloatArray, part: float
    ) -> FloatArray:
        """Split amounts by shares that sum to one and are ``part`` of the whole profile."""
        positive = share > 0
        if not positive.all():
            drawn = np.zeros((len(share), len(amounts)))
            drawn[positive] = self._stage(place, amounts, share[positive], part)
            return drawn
        shares = self._shares(place, share, part, len(amounts))
        if self.law.counts:
            return split_counts(amounts, shares, self.law.rng(_OF_CELL, place.cell, place.stage))
        return shares * amounts

    def _shares(self, place: _Place, share: FloatArray, part: float, n_draws: int) -> FloatArray:
        concentration = self.law.concentration
        if concentration is None:
            return share[:, np.newaxis]
        key = (place.profile, place.stage)
        if key not in self._cache:
            rng = self.law.rng(_OF_PROFILE, place.profile, place.stage)
            self._cache[key] = dirichlet(concentration * part * share, n_draws, rng)
            while len(self._cache) > 1 and _size(self._cache) > _CACHED_ELEMENTS:
                self._cache.popitem(last=False)
        return self._cache[key]


def _size(cache: OrderedDict[tuple[int, int], FloatArray]) -> int:
    return sum(shares.size for shares in cache.values())


def dirichlet(shapes: FloatArray, n_draws: int, rng: np.random.Generator) -> FloatArray:
    """Draw from a Dirichlet law.

    Parameters
    ----------
    shapes : ndarray, shape (n_slots,)
        Positive parameters, however small.
    n_draws : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_slots, n_draws)
        Shares that sum to one in every draw.
    """
    size = (len(shapes), n_draws)
    if shapes.max() >= _LOG_SHAPE:
        drawn = rng.standard_gamma(shapes[:, np.newaxis], size=size)
    else:  # Gamma(a) is Gamma(a + 1) U**(1 / a): kept as a logarithm, and scaled before exp
        logarithm = np.log(rng.standard_gamma(shapes[:, np.newaxis] + 1.0, size=size))
        logarithm -= rng.standard_exponential(size=size) / shapes[:, np.newaxis]
        drawn = np.exp(logarithm - logarithm.max(axis=0))
    drawn /= drawn.sum(axis=0)
    return drawn


def split_counts(amounts: FloatArray, shares: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw whole amounts of slots from a multinomial law.

    Parameters
    ----------
    amounts : ndarray, shape (n_draws,)
        Whole numbers.
    shares : ndarray, shape (n_slots, n_draws) or (n_slots, 1)
        Probabilities that sum to one in every draw.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_slots, n_draws)
        Whole numbers as floats; they sum to ``amounts`` in every draw, exactly.
    """
    whole = np.rint(amounts).astype(np.int64)
    if whole.sum() <= _ITEMS_PER_SLOT * len(shares) * len(whole):
        return _place_items(whole, shares, rng)
    law = shares[:, 0] if shares.shape[1] == 1 else np.ascontiguousarray(shares.T)
    return np.ascontiguousarray(rng.multinomial(whole, law).T, dtype=np.float64)


def _place_items(
    whole: IntArray, shares: FloatArray, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Place every item into a slot by inversion of the cumulated shares."""
    n_slots, n_draws = len(shares), len(whole)
    draw = np.repeat(np.arange(n_draws), whole)
    point = rng.random(len(draw))
    below = np.cumsum(shares, axis=0)
    if shares.shape[1] == 1:
        slot = np.searchsorted(below[:-1, 0], point, side="right")
    else:  # all draws in one ordered line, draw d from d to d + 1
        below[-1] = 1.0
        line = (below + np.arange(n_draws)).ravel(order="F")
        place = np.searchsorted(line, point + draw, side="right")
        slot = np.clip(place - draw * n_slots, 0, n_slots - 1)
    counted = np.bincount(slot * n_draws + draw, minlength=n_slots * n_draws)
    return counted.reshape(n_slots, n_draws).astype(np.float64)
