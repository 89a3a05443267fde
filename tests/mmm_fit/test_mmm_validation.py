"""Hold-outs and rolling origins: which periods they leave out, and how they are scored."""

import numpy as np
import pandas as pd
import pytest
from mmm_series import SPEC, made_series, parsed

from bayes_attrib.mmm_fit.read_series import read_series
from bayes_attrib.mmm_fit.validation import validate, windows


def spec_with(**validation):
    text = SPEC.replace("holdout = 0.0", "\n".join(f"{k} = {v}" for k, v in validation.items()))
    return parsed(text)


def test_windows_step_back_from_the_end_and_leave_half_to_fit():
    spec = spec_with(holdout=0.2, origins=4, horizon=8)
    found = [(w.name, w.start, w.stop) for w in windows(spec, 50)]
    assert found == [
        ("holdout", 40, 50),
        ("origin_2", 26, 34),
        ("origin_3", 34, 42),
        ("origin_4", 42, 50),
    ]  # origin_1 would leave 18 of 50 to fit
    assert not list(windows(spec_with(holdout=0.0), 50))


@pytest.mark.sampling
@pytest.mark.parametrize(
    ("adstock", "saturation"), [("geometric", "hill"), ("weibull_pdf", "logistic")]
)
def test_a_hold_out_is_foretold_better_than_by_the_season_before(tmp_path, adstock, saturation):
    """Sales follow the model with a noise of 15; the season before has another spend."""
    made_series(40).to_csv(tmp_path / "series.csv", index=False)
    spec = parsed(
        SPEC.replace("holdout = 0.0", "holdout = 0.2\nseason = 10")
        .replace('kind = "geometric"', f'kind = "{adstock}"')
        .replace('kind = "hill"', f'kind = "{saturation}"')
        .replace("draws = 40\ntune = 60", "draws = 150\ntune = 200")
    )
    series = read_series(spec, tmp_path).series
    table = validate(spec, series)
    assert list(table["method"]) == ["mmm", "seasonal_naive"]
    assert set(table["n"]) == {16}  # 8 weeks in two geos
    mmm, naive = (table.iloc[i] for i in (0, 1))
    assert mmm["rmse"] < 0.6 * naive["rmse"]
    assert mmm["r2"] > 0.5
    assert mmm["crps"] < naive["crps"]
    assert pd.isna(naive["coverage"])
    assert 0.0 <= mmm["coverage"] <= 1.0
    assert np.isfinite(table[["rmse", "mae", "mape", "crps"]].to_numpy(dtype=float)).all()
