"""NUTS through nutpie: one seed and one unit of work per chain."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.configdefaults import config as pytensor_config

from bayes_attrib import names
from bayes_attrib.errors import FitError, InterruptedFitError
from bayes_attrib.inference.arrow_chain import read_chain
from bayes_attrib.inference.chain_store import ChainStore
from bayes_attrib.inference.chains import Chain, join_chains
from bayes_attrib.inference.density import Centre, compiled_density, data_values
from bayes_attrib.inference.large_rates import is_large, rates_of
from bayes_attrib.inference.nutpie_alone import nutpie
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inference.progress import ProgressListener, Silent

_POLL_SECONDS = 0.02
_OFFSET_PREFIX = "offset_"
_STATISTICS = (
    "depth",
    "maxdepth_reached",
    "step_size",
    "mean_tree_accept",
    "n_steps",
    "logp",
    "energy",
    "diverging",
)


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """What determines the draws of a fit, bit for bit, on one machine.

    Attributes
    ----------
    draws, tune, chains : int
        Draws kept and tuning draws per chain, and the number of chains.
    seed : int
        Each chain gets its own seed, spawned from this one by ``numpy.random.SeedSequence``; chain
        i is the same however many chains are asked for.
    target_accept : float
        Mean acceptance probability that the step size is tuned to.
    """

    draws: int = 1000
    tune: int = 500
    chains: int = 4
    seed: int = 1
    target_accept: float = 0.95

    @property
    def chain_seeds(self) -> tuple[int, ...]:
        """Seed of each chain."""
        children = np.random.SeedSequence(self.seed).spawn(self.chains)
        return tuple(int(child.generate_state(1, np.uint64)[0] >> 1) for child in children)


def fit_nuts(
    model: pm.Model,
    settings: SamplerSettings,
    *,
    store: ChainStore | None = None,
    progress: ProgressListener | None = None,
    cores: int | None = None,
    structure: Mapping[str, Any] | None = None,
    centre: Callable[[], Centre | None] | None = None,
) -> PosteriorFit:
    """Draw from the posterior of a PyMC model.

    Parameters
    ----------
    model : pymc.Model
        Any model with a variable ``rate`` over the dimension ``entity``.
    settings : SamplerSettings
        Sizes, seed and step-size target.
    store : ChainStore, optional
        Where completed chains are kept; chains that it already holds are not drawn again.
    progress : ProgressListener, optional
        Told about the draws as they are made.
    cores : int, optional
        Chains drawn at a time; by default as many as there are processors.
    structure : mapping, optional
        For models of this package, what they were built from
        (:func:`bayes_attrib.model.structure.describe_structure`): what was compiled for one is then
        used again for others of its structure, in this process and, through a cache on disk, in
        later ones. Whatever the cache holds, the draws are the same.
    centre : callable, optional
        For models with a structure, finds where chains begin and the coordinates they move in
        (:func:`bayes_attrib.inference.starts.centre_for`); asked if there are chains to draw.

    Returns
    -------
    PosteriorFit
        Draws of all named variables but standardised offsets (``offset_*``).

    Raises
    ------
    InterruptedFitError
        On Ctrl-C, after completed chains were kept.
    FitError
        If the sampler fails.
    """
    have = store.completed() & set(range(settings.chains)) if store else set()
    missing = [chain for chain in range(settings.chains) if chain not in have]
    drawn: dict[int, Chain] = {}
    if missing:
        compiled = _compile(model, structure, None if centre is None else centre())
        pool = _ChainPool(compiled, _kept(model), settings, missing, progress or Silent())
        try:
            for chain, tree in pool.run(cores or processors()):
                if store:
                    store.save(chain, tree)
                drawn[chain] = tree
        except KeyboardInterrupt:
            # The folder knows best: Ctrl-C may come between a chain's file and the next line.
            whole = store.completed() & set(range(settings.chains)) if store else drawn
            raise InterruptedFitError(len(whole), settings.chains) from None
    if store:
        drawn |= {chain: store.load(chain) for chain in have}
    observed = {rv.name: _value(model.rvs_to_values[rv]) for rv in model.observed_RVs}
    chains = [drawn.pop(chain) for chain in range(settings.chains)]
    return PosteriorFit(join_chains(model, chains, observed), method="nuts")


def processors() -> int:
    """Processors that this process may use; Python 3.12 only knows those of the machine."""
    return getattr(os, "process_cpu_count", os.cpu_count)() or 1


def _compile(model: pm.Model, structure: Mapping[str, Any] | None, centre: Centre | None) -> Any:
    """Compile a model for nutpie, or find it compiled."""
    stored = _kept(model)
    if structure is not None:
        # Rates are exp(log_rate) in every model of this package, so log_rate is enough to store.
        density = compiled_density(model, [n for n in stored if n != names.RATE], structure)
        return density.bind(data_values(model, density.layout.arrays), centre)
    # Fast-math lets the compiler reorder sums, and it does so differently for kernels that it
    # compiles and for those that it finds in its cache: the same seed would give other draws.
    with pytensor_config.change_flags(numba__fastmath=False):
        return nutpie.compile_pymc_model(model, var_names=stored)


def _kept(model: pm.Model) -> list[str]:
    """Return the variables whose draws are kept: all but standardised offsets."""
    named = [variable.name for variable in (*model.free_RVs, *model.deterministics)]
    return [name for name in named if not name.startswith(_OFFSET_PREFIX)]


class _ChainPool:
    """Draws chains a few at a time with one compiled model."""

    def __init__(
        self,
        compiled: Any,
        kept: Sequence[str],
        settings: SamplerSettings,
        chains: Sequence[int],
        progress: ProgressListener,
    ) -> None:
        self._compiled = compiled
        self._kept = kept
        self._settings = settings
        self._waiting = list(chains)
        self._progress = progress
        self._made: dict[int, tuple[int, int]] = {}

    def run(self, workers: int) -> Iterator[tuple[int, Chain]]:
        """Yield completed chains in the order in which they complete."""
        per_chain = self._settings.draws + self._settings.tune
        self._progress.started(per_chain * len(self._waiting))
        with _cancelled_on_exit() as active:
            try:
                while self._waiting or active:
                    while self._waiting and len(active) < workers:
                        chain = self._waiting.pop(0)
                        active[chain] = self._start(chain)
                    for chain in [c for c, sampler in active.items() if _is_finished(sampler)]:
                        yield chain, self._result(chain, active[chain])
                        del active[chain]
                    self._report()
                    time.sleep(_POLL_SECONDS)
            finally:
                self._progress.finished()

    def _start(self, chain: int) -> Any:
        def note(states: Any) -> None:
            self._made[chain] = (states[0].finished_draws, states[0].divergences)

        return nutpie.sample(
            self._compiled,
            draws=self._settings.draws,
            tune=self._settings.tune,
            chains=1,
            cores=1,
            seed=self._settings.chain_seeds[chain],
            target_accept=self._settings.target_accept,
            save_warmup=False,
            progress_bar=False,
            progress_callback=note,
            progress_rate=100,
            return_raw_trace=True,
            blocking=False,
        )

    def _result(self, chain: int, sampler: Any) -> Chain:
        wanted = self._settings.draws
        try:
            # What is reproducible and used: draws, and the statistics that diagnostics read.
            drawn = self._slim(read_chain(sampler.wait(), wanted, self._kept, _STATISTICS))
        except Exception as error:
            raise FitError(f"the sampler failed in chain {chain}: {error}") from error
        divergent = int(drawn.statistics["diverging"].sum())
        self._made[chain] = (wanted + self._settings.tune, divergent)
        return drawn

    def _slim(self, chain: Chain) -> Chain:
        """Keep the rates of very many entities in single precision, and not their logarithms."""
        log_rates = chain.draws.get(names.LOG_RATE)
        if log_rates is None or names.RATE in chain.draws:
            return chain
        if is_large(log_rates.size * self._settings.chains):
            chain.draws[names.RATE] = rates_of(chain.draws.pop(names.LOG_RATE), np.float32)
        return chain

    def _report(self) -> None:
        made = list(self._made.values())
        self._progress.advanced(sum(m[0] for m in made), sum(m[1] for m in made))


@contextmanager
def _cancelled_on_exit() -> Iterator[dict[int, Any]]:
    """Hold samplers that run in the background, and stop those left when the block ends."""
    active: dict[int, Any] = {}
    try:
        yield active
    finally:
        for sampler in active.values():
            sampler.cancel()


def _is_finished(sampler: Any) -> bool:
    """Ask a sampler, which answers with TimeoutError while it is busy reporting progress."""
    try:
        return bool(sampler.is_finished)
    except TimeoutError:
        return False


def _value(observed: Any) -> Any:
    """Return what a variable was observed to be, without compiling where it is data."""
    shared = isinstance(observed, SharedVariable)
    return np.asarray(observed.get_value() if shared else observed.eval())
