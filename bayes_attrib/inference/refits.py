"""Rates inferred anew from each of many draws of the totals, for little more than one fit.

What takes seconds is done once: the density is compiled apart from its data, and a pilot fit to
the totals themselves tells where the posterior lies and how it is shaped. A refit exchanges the
totals, starts each chain from a draw of the pilot, and samples in coordinates in which the pilot is
near standard normal (:mod:`bayes_attrib.inference.whitening`), so it needs few steps to tune and
few per draw. The law that it draws from is the posterior given its totals, whatever the pilot was.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pymc as pm

from bayes_attrib import names
from bayes_attrib.errors import FitError, InterruptedFitError
from bayes_attrib.inference.arrow_chain import read_chain
from bayes_attrib.inference.chain_store import ChainStore
from bayes_attrib.inference.chains import Chain, join_chains
from bayes_attrib.inference.density import compiled_density, data_values
from bayes_attrib.inference.large_rates import is_large, rates_of
from bayes_attrib.inference.nutpie_alone import nutpie
from bayes_attrib.inference.nuts import SamplerSettings, processors
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inference.progress import ProgressListener, Silent
from bayes_attrib.inference.streams import stream_of
from bayes_attrib.inference.whitening import Whitening
from bayes_attrib.inputs.aggregate_data import FloatArray

METHOD: Final = "nuts_cut"

TUNE: Final = 30
"""Tuning draws of a chain of a refit: for the step size alone, as the shape is known."""

FEWEST_DRAWS: Final = 20
"""Draws of a chain of a refit, so that its chains can be compared."""

MOST_ACCEPTED: Final = 0.9
"""Mean acceptance probability that a refit tunes its step to, unless the spec's is lower: in these
coordinates steps need not be as small as in those of the model."""

PILOT_DRAWS: Final = 1000
"""Draws of the pilot over all chains."""

_STREAM, _PILOT, _SEEDS = 32, 0, 1
_POLL_SECONDS: Final = 0.002
_TOTALS: Final = "observed_total"
_LIFT_TOTALS, _LIFT_AGGREGATES = "lift_total", "lift_aggregate"
_STATISTICS: Final = (
    "depth",
    "maxdepth_reached",
    "step_size",
    "mean_tree_accept",
    "n_steps",
    "logp",
    "energy",
    "diverging",
)
_POINT: Final = "unconstrained_draw"


@dataclass(frozen=True, eq=False)
class RefitStores:
    """Where the pilot and the refits are kept as they complete."""

    pilot: ChainStore
    refits: ChainStore


def fit_refits(
    model: pm.Model,
    totals: FloatArray,
    settings: SamplerSettings,
    *,
    structure: Mapping[str, Any],
    stores: RefitStores | None = None,
    progress: ProgressListener | None = None,
) -> PosteriorFit:
    """Draw from the posterior given each of several draws of the totals, and pool the draws.

    Priors and the reference rate are those of the totals themselves in every refit: only what was
    observed changes.

    Parameters
    ----------
    model : pymc.Model
        A model of this package, built for the totals themselves.
    totals : ndarray, shape (n_exposed, n_refits)
        Draws of the totals of the aggregates with exposure.
    settings : SamplerSettings
        ``tune`` is that of the pilot; ``draws`` is how many a chain has over all refits, or a few
        more: each has as many as the others, and :data:`FEWEST_DRAWS` at least.
    structure : mapping
        What the model was built from, see :func:`bayes_attrib.inference.nuts.fit_nuts`.
    stores : RefitStores, optional
        Refits that are there already are not made again.
    progress : ProgressListener, optional
        Told about the draws as they are made.

    Returns
    -------
    PosteriorFit
        Draws chain by chain, and refit by refit in each.

    Raises
    ------
    FitError
        If the sampler fails, or if the totals have no part in the model.
    InterruptedFitError
        On Ctrl-C, after completed refits were kept.
    """
    work = _Refits.of(model, totals, settings, structure, stores, progress or Silent())
    kept = set() if stores is None else stores.refits.completed()
    missing = [k for k in range(totals.shape[1]) if k not in kept]
    try:
        drawn = work.run(missing)
    except KeyboardInterrupt:
        done = 0 if stores is None else len(stores.refits.completed())
        raise InterruptedFitError(
            done * settings.chains, totals.shape[1] * settings.chains
        ) from None
    if stores is not None:
        drawn |= {k: stores.refits.load(k) for k in kept}
    chains = _pool([drawn.pop(k) for k in range(totals.shape[1])], settings.chains)
    observed = {rv.name: np.asarray(_observed(model, rv)) for rv in model.observed_RVs}
    return PosteriorFit(join_chains(model, chains, observed), METHOD)


def draws_per_refit(settings: SamplerSettings, n_refits: int) -> int:
    """Return how many draws each chain of each refit has."""
    return max(FEWEST_DRAWS, -(-settings.draws // n_refits))


@dataclass(frozen=True, eq=False)
class _Refits:
    """Everything that refits share."""

    density: Any
    values: dict[str, Any]
    variables: list[str]
    totals: FloatArray
    settings: SamplerSettings
    stores: RefitStores | None
    progress: ProgressListener

    @classmethod
    def of(  # noqa: PLR0917 - the arguments of fit_refits
        cls,
        model: pm.Model,
        totals: FloatArray,
        settings: SamplerSettings,
        structure: Mapping[str, Any],
        stores: RefitStores | None,
        progress: ProgressListener,
    ) -> _Refits:
        named = [variable.name for variable in (*model.free_RVs, *model.deterministics)]
        variables = [n for n in named if not n.startswith("offset_") and n != names.RATE]
        density = compiled_density(model, variables, structure)
        values = data_values(model, density.layout.arrays)
        if not {_TOTALS, _LIFT_TOTALS} & set(values):
            raise FitError(
                "rates do not depend on the totals in this model, so there is nothing to infer "
                'anew from each draw of them; set totals.uncertainty to "paired", which gives '
                "the same"
            )
        return cls(density, values, variables, totals, settings, stores, progress)

    @property
    def n_draws(self) -> int:
        return draws_per_refit(self.settings, self.totals.shape[1])

    def run(self, missing: list[int]) -> dict[int, Chain]:
        """Make the refits that are missing."""
        chains, found = self.settings.chains, {}
        per_refit = chains * (TUNE + self.n_draws)
        pilot = 0 if self._has_pilot() else chains * (self.settings.tune + self._pilot_draws)
        self.progress.started(pilot + per_refit * len(missing))
        try:
            points = self._pilot()
            whitening = Whitening.of(points.reshape(-1, points.shape[-1]))
            for count, k in enumerate(missing):
                found[k] = self._refit(k, whitening, points)
                if self.stores is not None:
                    self.stores.refits.save(k, found[k])
                divergent = sum(int(c.statistics["diverging"].sum()) for c in found.values())
                self.progress.advanced(pilot + per_refit * (count + 1), divergent)
        finally:
            self.progress.finished()
        return found

    @property
    def _pilot_draws(self) -> int:
        return -(-PILOT_DRAWS // self.settings.chains)

    def _has_pilot(self) -> bool:
        return self.stores is not None and 0 in self.stores.pilot.completed()

    def _pilot(self) -> FloatArray:
        """Return unconstrained draws given the totals themselves, (n_chains, n_draws, n_dim)."""
        if self.stores is not None and self._has_pilot():
            return np.asarray(self.stores.pilot.load(0).draws[_POINT])
        made = self._sample(
            self.density.bind(self.values),
            draws=self._pilot_draws,
            tune=self.settings.tune,
            seed=self._seed(_PILOT, 0),
            target_accept=self.settings.target_accept,
            store_unconstrained=True,
        )
        points = np.stack([_points(told, self._pilot_draws) for _, told in made])
        if self.stores is not None:
            self.stores.pilot.save(0, Chain({_POINT: points}, {}))
        return points

    def _refit(self, k: int, whitening: Whitening, points: FloatArray) -> Chain:
        """Draw all chains given a draw of the totals, one after another in the arrays."""
        starts = points.reshape(-1, points.shape[-1])
        inner = self.density.bind(self._values_of(self.totals[:, k]))
        made = self._sample(
            whitening.bind(inner, starts),
            draws=self.n_draws,
            tune=TUNE,
            seed=self._seed(_SEEDS, k),
            target_accept=min(self.settings.target_accept, MOST_ACCEPTED),
        )
        n, kept = self.n_draws, self.variables
        return _concatenated([read_chain(_One(*each), n, kept, _STATISTICS) for each in made])

    def _values_of(self, totals: FloatArray) -> dict[str, Any]:
        """Return the data with other totals."""
        values = dict(self.values)
        if _TOTALS in values:
            values[_TOTALS] = totals.astype(values[_TOTALS].dtype)
        if _LIFT_TOTALS in values:
            values[_LIFT_TOTALS] = totals[values[_LIFT_AGGREGATES]]
        return values

    def _seed(self, purpose: int, number: int) -> int:
        rng = stream_of(self.settings.seed, _STREAM, purpose, number)
        return int(rng.integers(2**63))

    def _sample(self, compiled: Any, **sizes: Any) -> list[tuple[Any, Any]]:
        """Sample all chains; values and statistics of each, as nutpie stores them."""
        sampler = nutpie.sample(
            compiled,
            chains=self.settings.chains,
            cores=min(self.settings.chains, processors()),
            save_warmup=False,
            progress_bar=False,
            return_raw_trace=True,
            blocking=False,
            **sizes,
        )
        try:
            while not _is_finished(sampler):
                time.sleep(_POLL_SECONDS)
            values, told = sampler.wait().get_arrow_trace()
        except Exception as error:
            raise FitError(f"the sampler failed: {error}") from error
        finally:
            sampler.cancel()
        return list(zip(values, told, strict=True))


@dataclass(frozen=True, eq=False)
class _One:
    """One chain of a trace, in the form of a trace."""

    values: Any
    told: Any

    def get_arrow_trace(self) -> tuple[list[Any], list[Any]]:
        """Return the chain's variables and statistics."""
        return [self.values], [self.told]


def _is_finished(sampler: Any) -> bool:
    try:
        return bool(sampler.is_finished)
    except TimeoutError:
        return False


def _points(told: Any, n_draws: int) -> FloatArray:
    """Return the unconstrained draws of a chain without those of tuning, (n_draws, n_dim)."""
    chain = read_chain(_One(told, told), n_draws, [], [_POINT])
    return np.asarray(chain.statistics[_POINT]).reshape(n_draws, -1)


def _concatenated(parts: list[Chain]) -> Chain:
    first = parts[0]
    return Chain(
        {n: np.concatenate([part.draws[n] for part in parts]) for n in first.draws},
        {n: np.concatenate([part.statistics[n] for part in parts]) for n in first.statistics},
    )


def _pool(refits: list[Chain], n_chains: int) -> list[Chain]:
    """Return chains, each of which holds its part of every refit."""
    pooled = []
    for c in range(n_chains):
        parts = [_part(refit, c, n_chains) for refit in refits]
        chain = _concatenated(parts)
        log_rates = chain.draws.get(names.LOG_RATE)
        if log_rates is not None and is_large(log_rates.size * n_chains):
            chain.draws[names.RATE] = rates_of(chain.draws.pop(names.LOG_RATE), np.float32)
        pooled.append(chain)
    return pooled


def _part(refit: Chain, chain: int, n_chains: int) -> Chain:
    def own(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {n: np.split(values, n_chains)[chain] for n, values in arrays.items()}

    return Chain(own(refit.draws), own(refit.statistics))


def _observed(model: pm.Model, variable: Any) -> Any:
    value = model.rvs_to_values[variable]
    return value.get_value() if hasattr(value, "get_value") else value.eval()
