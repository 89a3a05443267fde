"""Do 94% intervals of campaign amounts hold the truth in fresh worlds, and under which prior?

Every world is the scenario ``mmm_to_mta``: two channels of six campaigns, 52 weeks, 5 geos, Gamma
noise at the level of the aggregate. It is fitted channel by channel, and with both channels pooled;
the posterior is scored beside converged EM and the split in proportion to exposure. The textbook
example of the tests goes first, and is reported apart. A model is compiled once for each prior and
parameterisation, and refitted with the next world's data.

Run as ``python benchmarks/textbook_worlds.py [--worlds 40] [--priors HalfNormal:sigma=1 ...]``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import nutpie
import pandas as pd
import xarray as xr
from arviz_stats.base.array import array_stats

from bayes_attrib.attribution.intervals import interval_of
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.inference import Diagnostics, PosteriorFit, SamplerSettings, sampling_checks
from bayes_attrib.inputs import AggregateData, DataSource, Grouping, read_tables
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import ModelSpec, load_spec, parse_plain

FloatArray = npt.NDArray[np.float64]

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "models/mmm_to_mta.toml"
TEXTBOOK = ROOT / "tests/baselines/textbook_mmm_mta"
SCALE = {"Search": 120.0, "Social": 80.0}
POOLING = {"per channel": (), "pooled": ("channel",)}


@dataclass(frozen=True, eq=False)
class World:
    """Data with known truth; ``rate_true`` has shape (n_entities,)."""

    name: str
    data: AggregateData
    rate_true: FloatArray

    def channel(self, channel: str) -> World:
        """Return one channel of this world; its campaigns are exposed in its own cells only."""
        data = self.data
        rows = np.flatnonzero(data.aggregate_keys["channel"] == channel)
        of_channel = data.groupings["channel"]
        columns = np.flatnonzero(of_channel.codes == of_channel.levels.index(channel))
        own = replace(
            data,
            aggregate_keys=data.aggregate_keys.iloc[rows],
            totals=data.totals[rows],
            entity_names=data.entity_names[columns],
            exposure=data.exposure[rows][:, columns],
            groupings={"channel": Grouping.from_labels("channel", [channel] * len(columns))},
            truth=None if data.truth is None else data.truth[np.isin(data.edge_aggregate, rows)],
        )
        return World(self.name, own, self.rate_true[columns])


def worlds(n_worlds: int, spec: ModelSpec) -> Iterator[World]:
    """Yield the textbook example, and then fresh worlds from seeds 1, 2, ..."""
    entities = pd.read_csv(TEXTBOOK / "entities.csv", index_col="campaign")
    data = read_tables(spec, DataSource(folder=TEXTBOOK)).data
    rate = (entities["rate_true"] * entities["channel"].map(SCALE)).loc[list(data.entity_names)]
    yield World("textbook", data, rate.to_numpy())
    for seed in range(1, n_worlds + 1):
        tables = simulate("mmm_to_mta", seed=seed)
        rate = tables.entities["rate_true"]
        yield World(f"seed {seed}", tables.build_data(["channel"]), rate.to_numpy())


class Refitter:
    """Compiled models that are fitted to one world after the other."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        chosen = spec.inference
        self._settings = SamplerSettings(
            chosen.draws, chosen.tune, chosen.chains, chosen.seed, chosen.target_accept
        )
        self._compiled: dict[tuple[object, ...], Any] = {}

    def fit(self, data: AggregateData) -> PosteriorFit:
        """Sample; rates are in the unit of the data."""
        model_of_world = self._model(data).with_data(
            edge_aggregate=data.edge_aggregate,
            edge_entity=data.edge_entity.astype(np.int64),
            edge_exposure=data.exposure.data,
            observed_total=data.totals,
            log_reference_rate=np.log(data.reference_rate),
        )
        settings = self._settings
        tree = nutpie.sample(
            model_of_world,
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            seed=settings.seed,
            target_accept=settings.target_accept,
            progress_bar=False,
        )
        groups = {name: tree[name].to_dataset() for name in ("posterior", "sample_stats")}
        return PosteriorFit(xr.DataTree.from_dict(groups), "nuts")

    def _model(self, data: AggregateData) -> Any:
        geometry = choose_geometry(data, self.spec)
        key = (geometry.entity, *geometry.groups.items(), data.exposure.shape, data.n_edges)
        if key not in self._compiled:
            model = build_model(data, self.spec, geometry)
            self._compiled[key] = nutpie.compile_pymc_model(model)
        return self._compiled[key]


def score(world: World, spec: ModelSpec, fit: PosteriorFit) -> Iterator[dict[str, object]]:
    """Score the fit of a world, one row per channel in it."""
    data, rate = world.data, fit.draws("rate")
    ratio = data.totals[:, np.newaxis] / data.expected_totals(rate)
    amount = data.exposure.data[:, np.newaxis] * rate[data.edge_entity] * ratio[data.edge_aggregate]
    entity_amount = rate * (data.exposure.T @ ratio)
    shares = entity_amount / data.grand_total
    checks = sampling_checks(fit, spec.parameters, np.arange(data.n_entities), shares)
    sigma = fit.posterior["sigma_entity"].to_numpy()
    truth = data.sum_to_entities(data.truth)
    codes, levels = data.groupings["channel"].codes, data.groupings["channel"].levels
    holds = {
        "amounts": _is_held(entity_amount, truth, spec),
        "rates": _is_held(rate, world.rate_true, spec),
    }
    of_cells = _is_held(amount, data.truth, spec)
    error_of_log = np.log(rate).mean(axis=1) - np.log(world.rate_true)
    split = {"posterior": amount.mean(axis=1), "em": fit_em(data).amount}
    split["proportional"] = fit_proportional(data).amount
    lower, upper = interval_of(entity_amount, spec.report.interval)
    for code, channel in enumerate(levels):
        own, cells = codes == code, codes[data.edge_entity] == code
        yield {
            "world": world.name,
            "channel": channel,
            **{f"{name} held": held[own].mean() for name, held in holds.items()},
            "cells held": of_cells[cells].mean(),
            "width": (upper - lower)[own].mean() / truth[own].mean(),
            "log rates": _rms(error_of_log[own]),
            **{name: _rms((z - data.truth)[cells]) for name, z in split.items()},
            "sigma_entity": sigma.mean(),
            "ess": float(array_stats.ess(sigma, method="bulk", chain_axis=0, draw_axis=1)),
            "divergences": int(fit.sample_stats["diverging"].sum()),
            "verdict": Diagnostics(checks).verdict,
        }


def _is_held(draws: FloatArray, truth: FloatArray, spec: ModelSpec) -> npt.NDArray[np.bool_]:
    lower, upper = interval_of(draws, spec.report.interval)
    return (lower <= truth) & (truth <= upper)


def _rms(error: FloatArray) -> float:
    return float(np.sqrt(np.mean(error**2)))


def report(rows: pd.DataFrame, of: str) -> None:
    """Print what happened in the fresh worlds, and on the textbook example."""
    fresh = rows[rows["world"] != "textbook"]
    textbook = rows[rows["world"] == "textbook"].set_index("channel")
    print(f"\n{of}")
    for channel, row in textbook.iterrows():
        print(
            f"  textbook {channel}: RMSE per cell {row['posterior']:.2f} (EM {row['em']:.2f}, "
            f"proportional {row['proportional']:.2f}); held {6 * row['amounts held']:.0f} of 6; "
            f"sigma_entity {row['sigma_entity']:.2f}, ESS {row['ess']:.0f}, "
            f"{row['divergences']} divergences, {row['verdict']}"
        )
    for channel, some in [("both", fresh), *fresh.groupby("channel")] if len(fresh) else ():
        held = some["amounts held"]  # fractions of six campaigns
        error = np.sqrt(held.mean() * (1 - held.mean()) / (6 * len(held)))  # binomial
        wins = [(some["posterior"] < some[name]).mean() for name in ("em", "proportional")]
        print(
            f"  {some['world'].nunique()} worlds, {channel}: amounts held {held.mean():.1%} "
            f"+- {error:.1%}, rates {some['rates held'].mean():.1%}, "
            f"cells {some['cells held'].mean():.1%}; width {some['width'].mean():.2f}; "
            f"RMSE of log rates {_rms(some['log rates']):.3f}; RMSE per cell "
            f"{some['posterior'].mean():.1f} (EM {some['em'].mean():.1f}, proportional "
            f"{some['proportional'].mean():.1f}), smaller in {wins[0]:.0%} and {wins[1]:.0%}; "
            f"divergences {some['divergences'].mean():.1f} a fit, smallest ESS "
            f"{some['ess'].min():.0f}; verdicts {some['verdict'].value_counts().to_dict()}"
        )


def parse_prior(text: str) -> dict[str, Any]:
    """Read a prior such as ``Gamma:alpha=2,beta=3``."""
    dist, _, parameters = text.partition(":")
    pairs = (pair.split("=") for pair in parameters.split(","))
    return {"dist": dist, **{name: float(value) for name, value in pairs}}


def spec_of(prior: str | None, pooling: Sequence[str]) -> ModelSpec:
    """Return the shipped spec with other pooling and, unless None, another prior of spreads."""
    plain = load_spec(SPEC).model_dump(mode="json")
    plain["rates"]["pooling"] = list(pooling)
    if prior is not None:
        of_sigma = ["sigma_entity", *(f"sigma_{group}" for group in pooling)]
        plain["priors"] |= dict.fromkeys(of_sigma, parse_prior(prior))
    return parse_plain(plain, source="benchmark")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument(
        "--priors", nargs="*", default=[None], help="of the spreads; the package's default if none"
    )
    parser.add_argument("--fits", nargs="*", default=list(POOLING), choices=list(POOLING))
    arguments = parser.parse_args()
    readable = spec_of(None, POOLING["pooled"])
    for prior in arguments.priors:
        for name in arguments.fits:
            refitter = Refitter(spec_of(prior, POOLING[name]))
            rows = [
                row
                for world in worlds(arguments.worlds, readable)
                for part in ([world] if name == "pooled" else map(world.channel, SCALE))
                for row in score(part, refitter.spec, refitter.fit(part.data))
            ]
            report(pd.DataFrame(rows), f"{name}, sigma ~ {prior or 'default'}")


if __name__ == "__main__":
    main()
