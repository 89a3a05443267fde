"""From reports of campaigns to draws of their shares, by the commands that a user has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.cli import main
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.spec import load_spec
from below_channel.reported import Reported, carried_over, effective_reach, log_clicks_per_reach

FloatArray = npt.NDArray[np.float64]

BENCHMARKS = Path(__file__).parents[1]
NOT_CONVERGED = 3
"""Exit status of a fit that is written, and marked as not converged."""

CLICKS_MEAN, CLICKS_SD = 0.2, 0.2
"""Prior of the elasticity of the rate with regard to clicks per reach: 0 is a split by effective
reach, 1 one by clicks, were both in proportion to reach."""

SPREAD = 0.4
"""Scale of the half-normal prior of the spread of log rates, beside what clicks tell of them."""

SPEC = """\
schema_version = 1
name = "below_channel"

[columns]
aggregate = ["channel", "period"]
entity    = "campaign"

# The totals are a mix model's: functions of the spend of all campaigns together. They are split,
# and say nothing about rates.
[likelihood]
family = "{family}"

[totals]
uncertainty = "paired"

[rates]
covariates = "log_clicks_per_reach"

[priors]
beta         = {{ dist = "Normal", mu = {mean!r}, sigma = {sd!r} }}
sigma_entity = {{ dist = "HalfNormal", sigma = {spread!r} }}

[inference]
method = "nuts"
seed   = 1

[report]
period   = "period"
interval = {{ kind = "hdi", prob = 0.94 }}
"""


@dataclass(frozen=True, eq=False)
class Split:
    """A channel, split.

    Attributes
    ----------
    rates : ndarray, shape (n_campaigns, n_draws)
        Posterior draws, in the order of the reports.
    exposure : ndarray, shape (n_days, n_campaigns)
        Exposure on the days that have a total.
    total_draws : ndarray, shape (n_days, n_total_draws)
        The mix model's posterior draws of these totals.
    days : ndarray of int, shape (n_days,)
        Which days of the window have a total.
    em : ndarray, shape (n_campaigns,)
        Amounts of EM with free rates, converged, from the means of the totals.
    proportional : ndarray, shape (n_campaigns,)
        Amounts in proportion to exposure within days.
    table : DataFrame
        Rows of ``attribution.csv`` of campaigns, in the order of the reports.
    verdict : str
        Verdict of the fit.
    decay : float
        The mix model's carry-over: posterior mean.
    """

    rates: FloatArray
    exposure: FloatArray
    total_draws: FloatArray
    days: npt.NDArray[np.int64]
    em: FloatArray
    proportional: FloatArray
    table: pd.DataFrame
    verdict: str
    decay: float

    def amounts(self) -> FloatArray:
        """Return draws of the amounts of campaigns over the window."""
        return paired_amounts(self.rates, self.exposure, self.total_draws)


def paired_amounts(rates: FloatArray, exposure: FloatArray, totals: FloatArray) -> FloatArray:
    """Split a draw of all totals with each draw of the rates.

    Parameters
    ----------
    rates : ndarray, shape (n_campaigns, n_draws)
        Draws of rates.
    exposure : ndarray, shape (n_days, n_campaigns)
        Exposure.
    totals : ndarray, shape (n_days, n_total_draws)
        Draws of the totals, independent of the rates; repeated as often as it takes.

    Returns
    -------
    ndarray, shape (n_campaigns, n_draws)
        Amounts, summed over days.
    """
    n_draws = rates.shape[1]
    paired = totals[:, np.random.default_rng(1).permutation(n_draws) % totals.shape[1]]
    return np.asarray(rates * (exposure.T @ (paired / (exposure @ rates))))


def fit_mix_models(reported: Mapping[Path, Reported], sampling: str) -> None:
    """Fit and save mix models in a process of their own, but for those that are there.

    Parameters
    ----------
    reported : mapping of Path to Reported
        Reports, by the folder that gets ``mix_model.csv`` and ``mix_model.nc``.
    sampling : str
        Settings of the sampler, by name.
    """
    tables = []
    for work, reports in reported.items():
        work.mkdir(parents=True, exist_ok=True)
        table = work / "mix_model.csv"
        if not table.with_suffix(".nc").exists():
            reports.mix_input.to_csv(table, index=False)
            tables.append(str(table))
    if tables:
        arguments = ["-m", "below_channel.mix_model", *tables, "--sampling", sampling]
        _run([sys.executable, *arguments], work / "mix_model.log")


def split_channel(reported: Reported, work: Path, *, family: str = "given") -> Split:
    """Import the mix model, put exposures and covariates in its folder, fit, and draw amounts.

    Parameters
    ----------
    reported : Reported
        Reports of campaigns.
    work : Path
        Folder where :func:`fit_mix_models` has been.
    family : {"given", "gamma"}
        ``"gamma"`` reads the totals as observations, for comparison.

    Returns
    -------
    Split
        Draws and baselines.
    """
    imported, data, run = (work / name for name in ("imported", "data", "run"))
    for folder in (imported, data, run):
        shutil.rmtree(folder, ignore_errors=True)
    reported.delivery().to_csv(work / "delivery.csv", index=False)
    delivery = ["--delivery", str(work / "delivery.csv"), "--out", str(imported)]
    _bayes_attrib("import-mmm", str(work / "mix_model.nc"), *delivery, "--quiet")
    decay = _decay(imported, reported.channel)
    write_data(reported, imported, data, decay, family)
    spec = data / "model.toml"
    _bayes_attrib("fit", str(spec), str(data), "--out", str(run), "--quiet")
    folder = RunFolder.load(run)
    drawn = RunDraws.load(folder)
    campaigns = pd.Index(reported.campaigns)
    names, rates = drawn.rates()
    read = read_tables(load_spec(spec), DataSource(folder=data)).data
    place = pd.Index(read.entity_names).get_indexer(campaigns)
    days = pd.Index(reported.dates).get_indexer(pd.Index(read.aggregate_keys["period"].astype(str)))
    draws = pd.read_parquet(data / "total_draws.parquet").set_index("period")["draws"]
    return Split(
        rates[pd.Index(names).get_indexer(campaigns)],
        read.exposure.toarray()[:, place],
        np.stack([draws.loc[reported.dates[day]] for day in days]),
        days,
        read.sum_to_entities(fit_em(read).amount)[place],
        read.sum_to_entities(fit_proportional(read).amount)[place],
        folder.entities.set_index("name").loc[reported.campaigns],
        str(folder.diagnostics.verdict),
        decay,
    )


def write_data(reported: Reported, imported: Path, data: Path, decay: float, family: str) -> None:
    """Write the folder that is fitted: totals as imported, exposures and covariates as reported."""
    data.mkdir()
    days = pd.read_csv(imported / "aggregates.csv", dtype={"period": str})
    for name in ("aggregates.csv", "total_draws.parquet"):
        shutil.copy(imported / name, data / name)
    exposure = carried_over(effective_reach(reported), decay)
    day, campaign = np.nonzero(exposure > 0)
    rows = pd.DataFrame(
        {
            "channel": reported.channel,
            "period": np.asarray(reported.dates, dtype=object)[day],
            "campaign": np.asarray(reported.campaigns, dtype=object)[campaign],
            "exposure": exposure[day, campaign],
        }
    )
    rows[rows["period"].isin(days["period"])].to_csv(data / "exposures.csv", index=False)
    clicks = log_clicks_per_reach(reported)
    entities = pd.DataFrame({"campaign": reported.campaigns, "log_clicks_per_reach": clicks})
    entities.to_csv(data / "entities.csv", index=False)
    scale = float(clicks.std())  # covariates are standardised, so their priors are
    priors = {"mean": CLICKS_MEAN * scale, "sd": CLICKS_SD * scale, "spread": SPREAD}
    text = SPEC.format(family=family, **priors)
    (data / "model.toml").write_text(text, encoding="utf-8")


def _decay(imported: Path, channel: str) -> float:
    table = pd.read_parquet(imported / "parameter_draws.parquet")
    of_channel = table[table["channel"] == channel].set_index("parameter")
    return float(np.mean(of_channel.loc["adstock_alpha", "draws"]))


def _bayes_attrib(*arguments: str) -> None:
    """Run a command in this process, so that many worlds compile their model once."""
    try:
        main(list(arguments))
    except SystemExit as end:
        if end.code not in (None, 0, NOT_CONVERGED):
            raise RuntimeError(f"bayes-attrib {' '.join(arguments)}: exit {end.code}") from end


def _run(command: list[str], log: Path) -> None:
    path = os.pathsep.join(filter(None, [str(BENCHMARKS), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603 - commands are those of this file
        command, capture_output=True, text=True, check=False, env=environment
    )
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} failed:\n{done.stderr[-2000:]}")
