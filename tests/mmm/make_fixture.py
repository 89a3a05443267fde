"""Write pymc_marketing_two_geos.nc: a fit of PyMC-Marketing as its own ``save`` writes it.

The tests do not need pymc-marketing; this script does. To make the file again, in an environment
of its own (made with pymc-marketing 1.3.0, pymc 6.3.2, arviz 1.3.0, xarray 2026.9.0):

    pip install pymc-marketing==1.3.0
    python tests/mmm/make_fixture.py

Two channels, two geos, 20 weeks; far too few draws for anything but reading. Draws beyond the first
ten of each chain and the statistics of the sampler are dropped, all else is as it was saved.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import xarray as xr

FILE = Path(__file__).with_name("pymc_marketing_two_geos.nc")
DRAWS = 10


def fit_and_save(path: Path) -> None:
    """Fit a small model and save it."""
    from pymc_marketing.mmm import MMM, GeometricAdstock, LogisticSaturation  # noqa: PLC0415

    rng = np.random.default_rng(1)
    rows = [
        {
            "date": date,
            "geo": geo,
            "TV": rng.uniform(0, 100) * (rng.random() < 0.8),
            "Search": rng.uniform(10, 50),
        }
        for geo in ("north", "south")
        for date in pd.date_range("2024-01-01", periods=20, freq="W-MON")
    ]
    table = pd.DataFrame(rows)
    noise = rng.normal(0, 10, len(table))
    sales = pd.Series(100 + 2 * table["TV"] + 3 * table["Search"] + noise, name="sales")
    mmm = MMM(
        date_column="date",
        channel_columns=["TV", "Search"],
        target_column="sales",
        dims=("geo",),
        adstock=GeometricAdstock(l_max=4),
        saturation=LogisticSaturation(),
    )
    mmm.build_model(table, sales)
    mmm.add_original_scale_contribution_variable(var=["channel_contribution"])
    mmm.fit(table, sales, draws=30, tune=60, chains=2, cores=1, random_seed=1, progressbar=False)
    mmm.save(str(path))


def thin(path: Path, out: Path) -> None:
    """Keep the first draws of each chain."""
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        groups = {name: node.to_dataset().load() for name, node in tree.children.items()}
        del groups["sample_stats"]
        groups["posterior"] = groups["posterior"].isel(draw=slice(DRAWS))
        kept = xr.DataTree.from_dict(groups)
        kept.attrs = dict(tree.attrs)
    kept.to_netcdf(out, engine="h5netcdf")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        fit_and_save(Path(folder) / "fit.nc")
        thin(Path(folder) / "fit.nc", FILE)
