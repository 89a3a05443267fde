"""What a spec of a mix model may say, as a frozen pydantic model.

Priors are stated on the scale on which pymc-marketing fits: spend of a channel divided by its
largest, the target divided by its largest.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bayes_attrib.mmm_fit.parameters import (
    ADSTOCK_PARAMETERS,
    CONTROL_EFFECT,
    INTERCEPT,
    NOISE,
    SATURATION_PARAMETERS,
    SEASON_EFFECT,
    support_of,
)
from bayes_attrib.spec import IntervalSpec
from bayes_attrib.spec.closed import Closed, ColumnList, ColumnName, fault
from bayes_attrib.spec.prior import PriorSpec, distributions_on

AdstockKind = Literal["geometric", "delayed", "weibull_pdf", "weibull_cdf", "none"]
SaturationKind = Literal["hill", "logistic", "michaelis_menten", "tanh", "none"]


def _day(value: object) -> object:
    """Let dates be written as text, which TOML users do as often as without quotes."""
    return date.fromisoformat(value) if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_day)]


class MmmColumns(Closed):
    """The user's own column names.

    Attributes
    ----------
    date, target : str
        First day of the period, and what is to be explained.
    channels : tuple of str
        Spend, or other delivery, of each channel.
    controls : tuple of str
        Promotions, prices and other columns that shift the target in a straight line.
    geo : str or None
        Place; None for a national model.
    """

    date: ColumnName
    target: ColumnName
    channels: Annotated[ColumnList, Field(min_length=1)]
    controls: ColumnList = ()
    geo: ColumnName | None = None

    @model_validator(mode="after")
    def _differ(self) -> Self:
        used = [self.date, self.target, *self.channels, *self.controls, *filter(None, [self.geo])]
        twice = sorted({name for name in used if used.count(name) > 1})
        if twice:
            raise fault(
                f"one column cannot play two roles: {', '.join(twice)}",
                "name a column of its own for each role",
            )
        reserved = sorted({"channel", "control", "fourier_mode", "chain", "draw"} & set(used))
        if reserved:
            raise fault(
                f"pymc-marketing keeps these names for itself: {', '.join(reserved)}",
                "rename the columns in the table and here",
            )
        return self


class AdstockSpec(Closed):
    """How long spend works.

    Attributes
    ----------
    kind : str
        Shape of the carry-over.
    l_max : int
        Number of periods in which a unit works, its own included.
    """

    kind: AdstockKind = "geometric"
    l_max: Annotated[int, Field(ge=1, le=52)] = 8


class SaturationSpec(Closed):
    """How response flattens as spend grows."""

    kind: SaturationKind = "hill"


class EventSpec(Closed):
    """Something that happened on known days: a control that is the part of a period it covers.

    Attributes
    ----------
    name : str
        Name of the control that it becomes.
    first, last : date
        Both included.
    """

    name: ColumnName
    first: Day
    last: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise fault(
                f"the event {self.name!r} ends on {self.last}, before it begins on {self.first}",
                "exchange the two dates",
            )
        return self


class BaselineSpec(Closed):
    """What would have happened without media.

    Attributes
    ----------
    yearly_seasonality : int
        Number of pairs of sine and cosine over the year; 0 for none.
    trend : {"none", "linear", "piecewise"}
        Straight line, or one with bends.
    changepoints : int
        Number of bends of a piecewise trend, at even distances.
    """

    yearly_seasonality: Annotated[int, Field(ge=0, le=26)] = 2
    trend: Literal["none", "linear", "piecewise"] = "none"
    changepoints: Annotated[int, Field(ge=1, le=50)] = 3


class PoolingSpec(Closed):
    """How one parameter differs from geo to geo.

    Attributes
    ----------
    kind : {"common", "separate", "partial"}
        One value for all geos; a value for each, that learn nothing from one another; or a value
        for each around a level that is learned.
    spread : PriorSpec or None
        Prior of the standard deviation between geos, for ``partial``. On the parameter's own scale
        where it is real or positive; on the logit scale for parameters between 0 and 1.
    """

    kind: Literal["common", "separate", "partial"] = "common"
    spread: PriorSpec | None = None

    @model_validator(mode="after")
    def _spread_belongs(self) -> Self:
        if self.spread is not None and self.kind != "partial":
            raise fault(
                f"a spread between geos needs kind 'partial'; this one is {self.kind!r}",
                "write kind = \"partial\", or remove 'spread'",
            )
        if self.spread is not None and self.spread.support == "real":
            raise fault(
                f"{self.spread.dist} gives negative values, and a spread is positive",
                f"use one of {', '.join(distributions_on('positive'))}",
            )
        return self


class ScalingSpec(Closed):
    """By which largest values spends and target are divided before they are fitted.

    Attributes
    ----------
    per_geo : bool
        Divide by each geo's own largest values, rather than by the largest of all geos.
    """

    per_geo: bool = True


class MmmInferenceSpec(Closed):
    """How the posterior is sampled."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    draws: Annotated[int, Field(ge=4)] = 1000
    tune: Annotated[int, Field(ge=1)] = 1000
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    target_accept: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95


class ValidationSpec(Closed):
    """What is refitted to find out how well the model predicts.

    Attributes
    ----------
    holdout : float
        Part of the periods, the last ones, that a second fit does not see; 0 for none.
    origins : int
        Number of rolling origins, each a fit of its own to all periods before it; 0 for none.
    horizon : int
        Number of periods that are predicted from each origin.
    season : int
        Periods after which the seasonal-naive forecast repeats itself: 52 for weeks.
    """

    holdout: Annotated[float, Field(ge=0.0, lt=0.6)] = 0.2
    origins: Annotated[int, Field(ge=0, le=20)] = 0
    horizon: Annotated[int, Field(ge=1)] = 8
    season: Annotated[int, Field(ge=1)] = 52


class MmmReportSpec(Closed):
    """What readers see; ``currency`` is that of the target, where it is money."""

    interval: IntervalSpec = IntervalSpec()
    title: str | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    locale: Annotated[str, Field(pattern=r"^(en|es)(_[A-Z]{2})?$")] = "en"


class MmmSpec(Closed):
    """A whole mix model, as a versioned, frozen value."""

    schema_version: Literal[1]
    kind: Literal["mmm"]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    columns: MmmColumns
    adstock: AdstockSpec = AdstockSpec()
    saturation: SaturationSpec = SaturationSpec()
    baseline: BaselineSpec = BaselineSpec()
    events: Annotated[
        tuple[EventSpec, ...],
        BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    ] = ()
    likelihood: Literal["normal", "student_t", "truncated_normal"] = "normal"
    scaling: ScalingSpec = ScalingSpec()
    pooling: Annotated[dict[str, PoolingSpec], Field(default_factory=dict)]
    priors: Annotated[dict[str, PriorSpec], Field(default_factory=dict)]
    inference: MmmInferenceSpec = MmmInferenceSpec()
    validation: ValidationSpec = ValidationSpec()
    report: MmmReportSpec = MmmReportSpec()

    @property
    def trend_names(self) -> tuple[str, ...]:
        """Names of the controls that make up the trend."""
        if self.baseline.trend == "none":
            return ()
        bends = self.baseline.changepoints if self.baseline.trend == "piecewise" else 0
        return ("trend", *(f"trend_bend_{i + 1}" for i in range(bends)))

    @property
    def control_names(self) -> tuple[str, ...]:
        """All controls: columns, events, and trend, in this order."""
        return (*self.columns.controls, *(e.name for e in self.events), *self.trend_names)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that take a prior."""
        found = [INTERCEPT, *ADSTOCK_PARAMETERS[self.adstock.kind]]
        found += SATURATION_PARAMETERS[self.saturation.kind]
        found += [CONTROL_EFFECT] * bool(self.control_names)
        found += [SEASON_EFFECT] * bool(self.baseline.yearly_seasonality)
        return (*found, NOISE)

    @model_validator(mode="after")
    def _controls_differ(self) -> Self:
        columns = self.columns
        used = [*self.control_names, *columns.channels, columns.date, columns.target]
        used += [columns.geo] if columns.geo else []
        twice = sorted({name for name in used if used.count(name) > 1})
        if twice:
            raise fault(
                f"events: these names are used twice: {', '.join(twice)}",
                "give each event a name that no column and no other event has; 'trend' and "
                "'trend_bend_1' and so on belong to the trend",
            )
        return self

    @model_validator(mode="after")
    def _priors_fit(self) -> Self:
        for message, remedy in (*self._unknown_names(), *self._wrong_supports()):
            raise fault(message, remedy)
        return self

    def _unknown_names(self) -> Iterator[tuple[str, str]]:
        for section, names in (("priors", self.priors), ("pooling", self.pooling)):
            for name in names:
                if name not in self.parameters:
                    near = difflib.get_close_matches(name, self.parameters, n=1, cutoff=0.8)
                    hint = f"did you mean {near[0]!r}? " if near else ""
                    yield (
                        f"{section}.{name}: this model has no parameter {name!r}",
                        f"{hint}it has {', '.join(self.parameters)}",
                    )
        if self.pooling and self.columns.geo is None:
            yield "pooling: a national model has no geos to pool", "name the column columns.geo"

    def _wrong_supports(self) -> Iterator[tuple[str, str]]:
        for name, prior in self.priors.items():
            wanted = support_of(name)
            if wanted == "real" and name != INTERCEPT and prior.support != "real":
                yield (
                    f"priors.{name}: {prior.dist} is never negative, and {name} may be",
                    f"use one of {', '.join(distributions_on('real'))}",
                )
            if wanted != "real" and prior.dist not in distributions_on(wanted):
                where = "positive" if wanted == "positive" else "between 0 and 1"
                yield (
                    f"priors.{name}: {prior.dist} gives other values, and {name} is {where}",
                    f"use one of {', '.join(distributions_on(wanted))}",
                )

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the spec, defaults included."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
