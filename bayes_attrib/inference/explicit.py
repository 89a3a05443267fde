"""Amounts sampled with the parameters: NUTS within Gibbs, one seed and one stored unit per chain.

Data augmentation (Tanner and Wong 1987, JASA 82): in turn, the amounts are drawn from their exact
law given totals and parameters, and the parameters move by one NUTS transition whose target is
their prior times the densities of the amounts, one factor per pair. The law of a sum is not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import numpy as np
import pymc as pm
from pymc.exceptions import SamplingError
from pytensor.configdefaults import config as pytensor_config

from bayes_attrib import names
from bayes_attrib.errors import FitError, InterruptedFitError
from bayes_attrib.inference.chain_store import ChainStore
from bayes_attrib.inference.chains import Chain, join_chains
from bayes_attrib.inference.nuts import SamplerSettings
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inference.progress import ProgressListener, Silent
from bayes_attrib.inputs.aggregate_data import AggregateData
from bayes_attrib.model.explicit import ExplicitModel

METHOD = "nuts_within_gibbs"

_REPORT_EVERY = 50
_OFFSET_PREFIX = "offset_"
_STATISTICS = MappingProxyType(
    {
        "depth": "depth",
        "maxdepth_reached": "reached_max_treedepth",
        "step_size": "step_size",
        "mean_tree_accept": "mean_tree_accept",
        "n_steps": "tree_size",
        "logp": "model_logp",
        "energy": "energy",
        "diverging": "diverging",
    }
)
"""Statistics of a draw under the names that diagnostics read, and what PyMC calls them."""


def fit_explicit(
    explicit: ExplicitModel,
    data: AggregateData,
    settings: SamplerSettings,
    *,
    store: ChainStore | None = None,
    progress: ProgressListener | None = None,
) -> PosteriorFit:
    """Draw parameters and amounts from their joint posterior, one chain after the other.

    Parameters
    ----------
    explicit : ExplicitModel
        The model, built for the data.
    data : AggregateData
        Gives the totals.
    settings : SamplerSettings
        Sizes, seed and step-size target.
    store : ChainStore, optional
        Where completed chains are kept; chains that it already holds are not drawn again.
    progress : ProgressListener, optional
        Told about the draws as they are made.

    Returns
    -------
    PosteriorFit
        Draws of the model's variables, with ``amount`` over ``pair`` in the order of the edges.
        Its statistics are those of the transition given the amounts.

    Raises
    ------
    InterruptedFitError
        On Ctrl-C, after completed chains were kept.
    FitError
        If the sampler fails.
    """
    chains = {i: store.load(i) for i in store.completed() if i < settings.chains} if store else {}
    missing = [chain for chain in range(settings.chains) if chain not in chains]
    if missing:
        listener = progress or Silent()
        sampler = _Sampler(explicit, data, settings, listener)
        listener.started((settings.tune + settings.draws) * len(missing))
        try:
            for chain in missing:
                made = sampler.draw_chain(chain)
                if store:
                    store.save(chain, made)
                chains[chain] = made
        except KeyboardInterrupt:
            whole = store.completed() & set(range(settings.chains)) if store else chains
            raise InterruptedFitError(len(whole), settings.chains) from None
        finally:
            listener.finished()
    observed = {names.TOTAL: data.totals[data.is_exposed]}
    joined = [chains.pop(i) for i in range(settings.chains)]
    dims = {names.TOTAL: (names.AGGREGATE,)}
    return PosteriorFit(join_chains(explicit.model, joined, observed, dims), method=METHOD)


class _Sampler:
    """Draws chains one by one with functions that are compiled once."""

    def __init__(
        self,
        explicit: ExplicitModel,
        data: AggregateData,
        settings: SamplerSettings,
        progress: ProgressListener,
    ) -> None:
        model = explicit.model
        self._model, self._law, self._settings = model, explicit.law, settings
        self._totals = data.totals
        self._indptr = data.exposure.indptr
        self._noise = tuple(explicit.noise)
        named = {v.name: v for v in (*model.free_RVs, *model.deterministics)}
        hidden = {explicit.law.latent} - {names.AMOUNT}
        self._kept = [k for k in named if k not in hidden and not k.startswith(_OFFSET_PREFIX)]
        parameters = [rv for rv in model.free_RVs if rv.name != explicit.law.latent]
        self._moved = [model.rvs_to_values[rv].name for rv in parameters]
        # Without this the same seed could give other draws once kernels come from the cache.
        with pytensor_config.change_flags(numba__fastmath=False):
            self._expectations = self._compile([explicit.mu, *explicit.noise.values()])
            self._record = self._compile([named[name] for name in self._kept])
            self._nuts = pm.NUTS(
                vars=parameters, model=model, target_accept=settings.target_accept, rng=0
            )
        self._untuned = self._nuts.sampling_state
        self._progress, self._done, self._divergences = progress, 0, 0

    def draw_chain(self, chain: int) -> Chain:
        """Draw one chain, the same however many chains are asked for."""
        recorded: list[Any] = []
        statistics: list[Any] = []
        try:
            for point, statistic in self._states(self._settings.chain_seeds[chain]):
                recorded.append(self._record(point))
                statistics.append([statistic[theirs] for theirs in _STATISTICS.values()])
        except SamplingError as error:
            raise FitError(f"the sampler failed in chain {chain}: {error}") from error
        return Chain(
            dict(zip(self._kept, map(np.stack, zip(*recorded, strict=True)), strict=True)),
            dict(zip(_STATISTICS, map(np.array, zip(*statistics, strict=True)), strict=True)),
        )

    def _states(self, seed: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield points and statistics of the draws that are kept."""
        settings = self._settings
        for_start, for_nuts, for_amounts = np.random.default_rng(seed).spawn(3)
        self._nuts.sampling_state = self._untuned
        self._nuts.setup_chain(for_nuts, settings.tune, settings.draws)
        point = self._start(for_start)
        for i in range(settings.tune + settings.draws):
            if i == settings.tune:
                self._nuts.stop_tuning()
            point = point | {self._law.latent: self._amounts(point, for_amounts)}
            point, (statistic,) = self._nuts.step(point)
            self._note(int(i >= settings.tune and statistic["diverging"]))
            if i >= settings.tune:
                yield point, statistic

    def _start(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the model's starting point with its parameters jittered, as PyMC does."""
        point = dict(self._model.initial_point(random_seed=int(rng.integers(2**31))))
        for name in self._moved:
            point[name] = point[name] + rng.uniform(-1.0, 1.0, size=point[name].shape)
        return point

    def _amounts(self, point: dict[str, Any], rng: np.random.Generator) -> Any:
        """Draw all amounts, or their logarithms, given the totals and the parameters of a point."""
        mu, *values = self._expectations(point)
        noise = dict(zip(self._noise, values, strict=True))
        bounds = zip(self._totals, self._indptr[:-1], self._indptr[1:], strict=True)
        drawn = [self._law.draw(y, mu[i:j], noise, rng) for y, i, j in bounds if j > i]
        return np.concatenate(drawn)

    def _note(self, divergences: int) -> None:
        self._done += 1
        self._divergences += divergences
        if self._done % _REPORT_EVERY == 0:
            self._progress.advanced(self._done, self._divergences)

    def _compile(self, outputs: list[Any]) -> Any:
        """Compile variables as a function of a point."""
        return self._model.compile_fn(
            self._model.replace_rvs_by_values(outputs),
            inputs=self._model.value_vars,
            on_unused_input="ignore",
        )
