"""The channel's mix model: pymc-marketing, as its own notebook fits the ``credibility`` data.

Geometric adstock with l_max 12, logistic saturation, the control ``trend``, and the package's
default priors. ``python -m below_channel.mix_model INPUT.csv ...`` saves every fit beside its
table.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings of pymc-marketing's ``fit``."""

    draws: int
    tune: int
    chains: int
    target_accept: float


SAMPLING = {
    "notebook": Sampling(draws=800, tune=2000, chains=4, target_accept=0.98),
    "world": Sampling(draws=500, tune=1000, chains=2, target_accept=0.95),
}
SEED = 42


def fit_and_save(table: pd.DataFrame, out: Path, sampling: Sampling) -> None:
    """Fit the mix model and save it by its own ``save``.

    Parameters
    ----------
    table : DataFrame
        Columns ``date``, two channels, ``trend`` and ``y``.
    out : Path
        netCDF file.
    sampling : Sampling
        Settings of the sampler.
    """
    from pymc_marketing.mmm import MMM, GeometricAdstock, LogisticSaturation  # noqa: PLC0415

    table = table.assign(date=pd.to_datetime(table["date"]))
    channels = [name for name in table.columns if name not in {"date", "trend", "y"}]
    mmm = MMM(
        date_column="date",
        channel_columns=channels,
        target_column="y",
        adstock=GeometricAdstock(l_max=12),
        saturation=LogisticSaturation(),
        control_columns=["trend"],
    )
    inputs, target = table[["date", *channels, "trend"]], table["y"]
    mmm.build_model(inputs, target)
    mmm.add_original_scale_contribution_variable(var=["channel_contribution"])
    mmm.fit(
        inputs,
        target,
        draws=sampling.draws,
        tune=sampling.tune,
        chains=sampling.chains,
        cores=1,
        target_accept=sampling.target_accept,
        random_seed=SEED,
        progressbar=False,
    )
    mmm.save(str(out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", type=Path, nargs="+", help="tables; OUT is beside each of them")
    parser.add_argument("--sampling", choices=list(SAMPLING), default="world")
    arguments = parser.parse_args()
    for path in arguments.input:
        fit_and_save(pd.read_csv(path), path.with_suffix(".nc"), SAMPLING[arguments.sampling])


if __name__ == "__main__":
    main()
