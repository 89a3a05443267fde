"""What changed between two runs: inputs, spec, totals, and who is credited with what."""

from bayes_attrib.report.run_diff.facts import changed_facts, changed_paths
from bayes_attrib.report.run_diff.movement import Movement, TotalsChange
from bayes_attrib.report.run_diff.words import restatement

__all__ = ["Movement", "TotalsChange", "changed_facts", "changed_paths", "restatement"]
