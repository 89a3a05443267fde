"""Which family suits the shipped coupon campaigns? One fit each, scored against the known truth.

Prints the table of docs/families.md.
"""

from __future__ import annotations

from pathlib import Path

from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.report.scores import total_variation
from bayes_attrib.spec import load_spec, parse_plain
from bayes_attrib.workflow import fit_tables

ROOT = Path(__file__).parents[1]
FAMILIES = [("poisson", None), ("negative_binomial", "aggregate"), ("negative_binomial", "pair")]


def main() -> None:
    plain = load_spec(ROOT / "models/coupon_campaigns.toml").model_dump(mode="json")
    source = DataSource(folder=ROOT / "data/coupon_campaigns")
    print("| family | level | error of shares | HDIs that hold the truth | spread | verdict |")
    print("|---|---|---|---|---|---|")
    for family, level in FAMILIES:
        plain["likelihood"] = {"family": family, "level": level}
        spec = parse_plain(plain, source="benchmark")
        tables = read_tables(spec, source)
        fitted = fit_tables(tables, spec)
        table = fitted.result.table.query("level == 'entity'")
        truth = table["truth_amount"]
        held = truth.between(table["amount_lower"], table["amount_upper"]).sum()
        error = total_variation(table["share_mean"], truth / truth.sum())
        checks = {check.name: check for check in fitted.diagnostics.checks}
        spread = checks["dispersion_p_value"].detail.split()[4]
        print(
            f"| {family} | {level or ''} | {error:.3f} | {held} of {len(table)} | {spread} "
            f"| {fitted.diagnostics.verdict} |",
            flush=True,
        )
    for name in ("em", "proportional"):
        error = total_variation(table[f"{name}_share"], truth / truth.sum())
        print(f"| {name} | | {error:.3f} | | | |")


if __name__ == "__main__":
    main()
