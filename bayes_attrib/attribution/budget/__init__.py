"""Budgets below the channel: the split of money that posterior rates and curves recommend."""

from bayes_attrib.attribution.budget.curves import PlanCurves
from bayes_attrib.attribution.budget.limits import Limits, limits_of
from bayes_attrib.attribution.budget.objectives import OBJECTIVES, Objective
from bayes_attrib.attribution.budget.plan import Plan, read_plan
from bayes_attrib.attribution.budget.recommendation import Recommendation, recommend
from bayes_attrib.attribution.budget.response import Response, build_response

__all__ = [
    "OBJECTIVES",
    "Limits",
    "Objective",
    "Plan",
    "PlanCurves",
    "Recommendation",
    "Response",
    "build_response",
    "limits_of",
    "read_plan",
    "recommend",
]
