"""The whole pass: a plan in, a run folder out."""

from bayes_attrib.workflow.choose import choose_family
from bayes_attrib.workflow.fit import Fitted, fit_tables, fit_to_folder
from bayes_attrib.workflow.plan import FitPlan
from bayes_attrib.workflow.predict_run import predict
from bayes_attrib.workflow.prior_only import PriorRun, prior_to_folder
from bayes_attrib.workflow.render import WrittenReports, write_reports

__all__ = [
    "FitPlan",
    "Fitted",
    "PriorRun",
    "WrittenReports",
    "choose_family",
    "fit_tables",
    "fit_to_folder",
    "predict",
    "prior_to_folder",
    "write_reports",
]
