"""One small mix model, fitted once for all tests; too few draws for anything but plumbing."""

import pandas as pd
import pytest
from mmm_series import SPEC, made_series

from bayes_attrib.cli import main


@pytest.fixture
def data(tmp_path):
    """A data folder with the series alone."""
    made_series().to_csv(tmp_path / "series.csv", index=False)
    return tmp_path


@pytest.fixture(scope="session")
def mmm_run(tmp_path_factory):
    """A run folder that the command wrote, with lift tests and planned spend."""
    folder = tmp_path_factory.mktemp("mmm")
    table = made_series(34)
    weeks = table["week"].drop_duplicates().tolist()
    past = table["week"].isin(weeks[:30])
    table[past].to_csv(folder / "series.csv", index=False)
    table[~past].drop(columns="sales").to_csv(folder / "future.csv", index=False)
    tests = pd.DataFrame(
        {
            "channel": ["TV"],
            "geo": ["north"],
            "x": [60.0],
            "delta_x": [40.0],
            "delta_y": [40.0],
            "sigma": [10.0],
        }
    )
    tests.to_csv(folder / "lift_tests.csv", index=False)
    (folder / "small.toml").write_text(SPEC)
    run = folder / "run"
    with pytest.raises(SystemExit) as ended:
        main(["mmm", str(folder / "small.toml"), str(folder), "--out", str(run), "--quiet"])
    assert ended.value.code == 3  # far too few draws to converge; everything is written
    return run
