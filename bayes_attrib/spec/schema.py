"""A whole spec, as a frozen pydantic model.

A spec says *which* model is meant; how it is built lives in :mod:`bayes_attrib.model`. It holds no
data paths and no code, so it outlives the quarter it was written for.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bayes_attrib import names
from bayes_attrib.spec.closed import Closed, ColumnName, KeyColumns, fault
from bayes_attrib.spec.exposure import ExposureSpec
from bayes_attrib.spec.lift_tests import LiftTestsSpec
from bayes_attrib.spec.likelihood import LikelihoodSpec
from bayes_attrib.spec.prior import PriorSpec, Support, distributions_on
from bayes_attrib.spec.rates import RatesSpec, UnattributedSpec
from bayes_attrib.spec.roles import role_faults
from bayes_attrib.spec.totals import TotalsSpec, TotalUncertainty


class Columns(Closed):
    """The user's own column names.

    Attributes
    ----------
    aggregate : tuple of str
        Key column(s) that identify an aggregate, in both tables.
    entity : str
        Key column of the unit that gets credit.
    total, exposure, amount : str
        Observed total, known exposure, and known true amount where there is one.
    delivery : str or None
        Delivery that the section ``[exposure]`` makes exposures from; ``"delivery"`` there unless
        it is named.
    """

    aggregate: KeyColumns
    entity: ColumnName
    total: ColumnName = names.TOTAL
    exposure: ColumnName = names.EXPOSURE
    amount: ColumnName = names.AMOUNT
    delivery: ColumnName | None = None

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        used = [*self.aggregate, self.entity, self.total, self.amount]
        used.append(self.exposure if self.delivery is None else self.delivery)
        twice = sorted({name for name in used if used.count(name) > 1})
        if twice:
            raise fault(
                f"one column cannot play two roles: {', '.join(twice)}",
                "name a column of its own for each role",
            )
        return self


class AdviSpec(Closed):
    """The search for a variational law.

    Attributes
    ----------
    rank : {"mean_field", "full_rank"}
        Whether elements of the law are independent or correlated.
    learning_rate : float
        Length of a step, in each unconstrained parameter.
    most_steps : int
        Steps after which the search ends even if the evidence bound still rises.
    """

    rank: Literal["mean_field", "full_rank"] = "mean_field"
    learning_rate: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.01
    most_steps: Annotated[int, Field(ge=100)] = 20_000


class InferenceSpec(Closed):
    """How the posterior is computed.

    ``laplace``, ``advi`` and ``pathfinder`` approximate it instead of sampling it: ``draws``
    independent draws; ``tune``, ``chains`` and ``target_accept`` belong to sampling alone. ``auto``
    previews by ``laplace`` and then samples, if that takes no longer than ``time_budget`` seconds.
    """

    method: Literal["auto", "nuts", "laplace", "advi", "pathfinder"] = "nuts"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    draws: Annotated[int, Field(ge=1)] = 1000
    tune: Annotated[int, Field(ge=1)] = 500
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    target_accept: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    time_budget: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 600.0
    advi: AdviSpec = AdviSpec()


class IntervalSpec(Closed):
    """Kind and probability of the intervals that are reported.

    ``hdi`` is the narrowest interval of that probability, ``eti`` the equal-tailed one.
    """

    kind: Literal["hdi", "eti"] = "hdi"
    prob: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.94


class ReportSpec(Closed):
    """What readers of the run see.

    Attributes
    ----------
    interval : IntervalSpec
        Intervals of all tables.
    title : str or None
        Title of the reports; made from the name of the spec where it is not given.
    currency : str or None
        ISO 4217 code of the totals' currency; None for units.
    period : str or None
        Key column of the aggregates that tells the time, for reports over time.
    locale : str
        Language and forms of numbers in reports, such as ``"en"``, ``"en_GB"`` or ``"es_MX"``.
    """

    interval: IntervalSpec = IntervalSpec()
    title: str | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    period: ColumnName | None = None
    locale: Annotated[str, Field(pattern=r"^(en|es)(_[A-Z]{2})?$")] = "en"


class ModelSpec(Closed):
    """A whole model, as a versioned, frozen value.

    Two specs with the same :attr:`digest` describe the same computation.
    """

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    columns: Columns
    likelihood: LikelihoodSpec = LikelihoodSpec()
    rates: RatesSpec = RatesSpec()
    unattributed: UnattributedSpec | None = None
    exposure: ExposureSpec | None = None
    priors: Annotated[dict[str, PriorSpec], Field(default_factory=dict)]
    lift_tests: LiftTestsSpec = LiftTestsSpec()
    totals: TotalsSpec | None = None
    inference: InferenceSpec = InferenceSpec()
    report: ReportSpec = ReportSpec()

    @property
    def delivery_column(self) -> str:
        """Column of delivery, where the spec has a section ``[exposure]``."""
        return self.columns.delivery or names.DELIVERY

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that take a prior, in the model's order."""
        rates = self.rates
        found = [names.INTERCEPT, *map(names.sigma_of, rates.groups), names.SIGMA_ENTITY]
        if rates.heteroscedastic is not None:
            found.append(names.SIGMA_SPREAD)
        if rates.covariates is not None:
            found.append(names.BETA)
        if rates.pair_covariates is not None:
            found.append(names.BETA_PAIR)
        found += map(names.sigma_of, rates.aggregate_effects)
        if rates.drift is not None:
            found.append(names.SIGMA_DRIFT)
            if rates.drift.kind == "hsgp":
                found.append(names.LENGTHSCALE_DRIFT)
        found += self.likelihood.parameters
        if self.unattributed is not None:
            found.append(names.UNATTRIBUTED_SHARE)
        return tuple(found)

    @model_validator(mode="after")
    def _period_is_a_key(self) -> Self:
        drift = self.rates.drift
        if drift is not None and drift.period not in self.columns.aggregate:
            known = ", ".join(map(repr, self.columns.aggregate))
            raise fault(
                f"rates.drift.period: {drift.period!r} is no key column of the aggregates",
                f"name the key that tells the time; columns.aggregate holds {known}",
            )
        return self

    @model_validator(mode="after")
    def _report_period_is_a_key(self) -> Self:
        period = self.report.period
        if period is not None and period not in self.columns.aggregate:
            known = ", ".join(map(repr, self.columns.aggregate))
            raise fault(
                f"report.period: {period!r} is no key column of the aggregates",
                f"name the key that tells the time; columns.aggregate holds {known}",
            )
        return self

    @model_validator(mode="after")
    def _lift_period_is_a_key(self) -> Self:
        period = self.lift_tests.period
        if period is not None and period not in self.columns.aggregate:
            known = ", ".join(map(repr, self.columns.aggregate))
            raise fault(
                f"lift_tests.period: {period!r} is no key column of the aggregates",
                f"name the key that tells the time; columns.aggregate holds {known}",
            )
        return self

    @property
    def total_uncertainty(self) -> TotalUncertainty:
        """How the uncertainty of the totals is treated; they are known unless the spec says so."""
        return "plugin" if self.totals is None else self.totals.uncertainty

    @model_validator(mode="after")
    def _totals_are_amounts(self) -> Self:
        wanted, likelihood = self.total_uncertainty, self.likelihood
        if wanted != "plugin" and likelihood.counts:
            raise fault(
                f"totals.uncertainty: {wanted!r} takes draws of totals, which are no whole "
                f"numbers, and family {likelihood.family!r} splits counts",
                "choose family 'gamma' or 'lognormal', or hurdle_* where draws may be zero; or set "
                'totals.uncertainty to "plugin"',
            )
        if wanted != "plugin" and likelihood.amounts == "explicit":
            raise fault(
                f"totals.uncertainty: {wanted!r} splits draws of totals after the fit, and "
                'likelihood.amounts = "explicit" samples the amounts of the totals themselves',
                "remove likelihood.amounts, which integrates amounts out",
            )
        return self

    @model_validator(mode="after")
    def _columns_have_one_role(self) -> Self:
        for found in role_faults(self):
            raise found
        return self

    @model_validator(mode="after")
    def _priors_name_parameters(self) -> Self:
        for name, prior in self.priors.items():
            if name not in self.parameters:
                near = difflib.get_close_matches(name, self.parameters, n=1, cutoff=0.8)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise fault(
                    f"priors.{name}: this model has no parameter {name!r}",
                    f"{hint}it has {', '.join(self.parameters)}; 'likelihood' and 'rates' "
                    "decide which there are",
                )
            _check_support(name, prior)
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the spec, defaults included."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


_REAL_PARAMETERS = frozenset({names.INTERCEPT, names.BETA, names.BETA_PAIR, names.BETA_ZERO})
_UNIT_PARAMETERS = frozenset({names.PI, names.UNATTRIBUTED_SHARE})
_DOMAIN = {"positive": "positive", "unit": "between 0 and 1"}


def support_of(parameter: str) -> Support:
    """Return where a parameter lives."""
    if parameter in _REAL_PARAMETERS:
        return "real"
    return "unit" if parameter in _UNIT_PARAMETERS else "positive"


def _check_support(name: str, prior: PriorSpec) -> None:
    wanted = support_of(name)
    if wanted == "real" or prior.dist in distributions_on(wanted):
        return
    gives = "negative values" if prior.support == "real" else "values above 1"
    raise fault(
        f"priors.{name}: {prior.dist} gives {gives}, and {name} is {_DOMAIN[wanted]}",
        f"use {'one of ' * (wanted == 'positive')}{', '.join(distributions_on(wanted))}",
    )
