"""The sentences of a comparison: what is compared, by which rule, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bayes_attrib import names
from bayes_attrib.attribution.pairwise import Conclusion, Pairs
from bayes_attrib.report.comparison_run import ComparedGroup, RunComparison
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language
from bayes_attrib.report.tables import choose_format

_SURE: Final = 0.9995


@dataclass(frozen=True)
class ComparisonText:
    """A comparison in words.

    Attributes
    ----------
    compared : RunComparison
        The comparison.
    language : Language
        Language of the reader.
    """

    compared: RunComparison
    language: Language

    @property
    def quantity(self) -> str:
        """What is compared, with its unit."""
        columns = self.compared.run.spec.columns
        if self.compared.on == "rate":
            return self.language.text("rate per {exposure}", exposure=printable(columns.exposure))
        if self.compared.on == "share":
            return self.language.text("share of the grand total (%)")
        unit = choose_format(self.compared.run).unit
        return self.language.text("amount ({unit})", unit=printable(unit))

    @property
    def head(self) -> str:
        """What is compared, in one word: for the head of a column."""
        if self.compared.on == "rate":
            return self.language.text("rate")
        return self.language.text("share %" if self.compared.on == "share" else "amount")

    def value(self, value: float) -> str:
        """Write a value or a difference of what is compared; shares are in percent points."""
        if self.compared.on == "rate":
            return self.language.significant(value)
        amounts = choose_format(self.compared.run)
        if self.compared.on == "share":
            return self.language.number(100 * value, amounts.share_decimals)
        return self.language.number(value, amounts.mean_decimals)

    def probability(self, value: float) -> str:
        """Write a probability; draws cannot tell certainty, so it is never 0% or 100%."""
        if value >= _SURE:
            return self.language.text("> {value}", value=self.language.percent(0.999))
        if value <= 1 - _SURE:
            return self.language.text("< {value}", value=self.language.percent(0.001))
        return self.language.percent(value)

    def interval(self, lower: float, upper: float) -> str:
        """Write the interval of a value."""
        return self.language.text("{a} to {b}", a=self.value(lower), b=self.value(upper))

    def heading(self, group: ComparedGroup) -> str:
        """Say which names are compared, and of how many."""
        shown, there = len(group.names), group.n_available
        kind = printable(self.compared.kind)
        values: dict[str, Any] = {
            "kind": kind,
            "shown": self.language.number(shown),
            "there": self.language.number(there),
            "quantity": self.quantity,
        }
        if group.channel is None:
            return self.language.text("{kind}: {shown} of {there}, by {quantity}", **values)
        return self.language.text(
            "{channel}. {kind}: {shown} of {there}, by {quantity}",
            channel=printable(group.channel),
            **values,
        )

    def best_set(self, group: ComparedGroup) -> str:
        """Say which names hold the best one."""
        prob = self.language.percent(self.compared.rule.prob, 0)
        found = [printable(name) for name in group.best_names]
        if len(found) == 1:
            return self.language.text(
                "{name} is the best of these with probability {prob} or more.",
                name=found[0],
                prob=prob,
            )
        if len(found) == len(group.names):
            return self.language.text(
                "No name can be ruled out: only all {n} hold the best with probability {prob}.",
                n=self.language.number(len(found)),
                prob=prob,
            )
        return self.language.text(
            "The best is among these {n} of {all} with probability {prob} or more: {names}.",
            n=self.language.number(len(found)),
            all=self.language.number(len(group.names)),
            prob=prob,
            names=self.language.join(found),
        )

    def tally(self, group: ComparedGroup) -> str:
        """Count the conclusions, and the errors that are to be expected among them."""
        pairs = group.comparison.pairs
        ordered = sum(c in {Conclusion.GREATER, Conclusion.LESS} for c in pairs.conclusion)
        counts = self.language.plural(
            len(pairs.first),
            "{n} pair: {ordered} put in order, {equal} practically equal, {open} not separable by "
            "these data.",
            "{n} pairs: {ordered} put in order, {equal} practically equal, {open} not separable by "
            "these data.",
            ordered=self.language.number(ordered),
            equal=self.language.number(sum(c == Conclusion.EQUAL for c in pairs.conclusion)),
            open=self.language.number(sum(c == Conclusion.OPEN for c in pairs.conclusion)),
        )
        if not ordered:
            return counts
        wrong = self.language.plural(
            ordered,
            "If the model is right, it is the other way round with probability {wrong}.",
            "If the model is right, {wrong} of the {n} put in order are expected to be the other "
            "way round.",
            wrong=self.language.number(pairs.expected_errors, 2),
        )
        return f"{counts} {wrong}"

    def pair(self, group: ComparedGroup, i: int) -> str:
        """Say what the draws say about a pair."""
        pairs = group.comparison.pairs
        first, second = (printable(group.names[row[i]]) for row in (pairs.first, pairs.second))
        conclusion = pairs.conclusion[i]
        if conclusion == Conclusion.LESS:  # the larger one is the subject
            prob, larger, smaller = pairs.prob_less[i], second, first
        else:
            prob, larger, smaller = pairs.prob_greater[i], first, second
        values: dict[str, Any] = {
            "a": larger,
            "b": smaller,
            "prob": self.probability(float(prob)),
            "equal": self.probability(float(pairs.prob_equal[i])),
            "rope": self._rope(),
            "times": self._beside(pairs, i),
        }
        if conclusion == Conclusion.EQUAL:
            return self.language.text(
                "{a} and {b} are practically equal: probability {equal} that they are within "
                "{rope}; {times}.",
                **values,
            )
        if conclusion == Conclusion.OPEN:
            return self.language.text(
                "{a} and {b} are not separable by these data: probability {prob} that {a} is "
                "greater, {equal} that they are within {rope}; {times}.",
                **values,
            )
        return self.language.text("{a} is greater than {b}: probability {prob}; {times}.", **values)

    def notes(self) -> Iterator[str]:
        """Say what the numbers mean in this run, and by which rule conclusions are drawn."""
        yield from self._meaning()
        rule = self.compared.rule
        yield self.language.text(
            "Rule: practically equal if within {rope} with probability {prob} or more; else "
            "greater or less with {prob} or more; else not separable by these data.",
            rope=self._rope(),
            prob=self.language.percent(rule.prob, 0),
        )
        yield self.language.text(
            "All from {n} joint draws; intervals are {interval}. Best and rank are among the names "
            "compared; ties share their ranks. Loss: what choosing the name costs on average, "
            "beside the best one.",
            n=self.language.number(self.compared.groups[0].comparison.n_draws),
            interval=self.short_interval,
        )
        for channel in self.compared.alone:
            yield self.language.text(
                "Channel {channel} has a single {kind}, so there is nothing to compare.",
                channel=printable(channel),
                kind=printable(self.compared.kind),
            )

    @property
    def short_interval(self) -> str:
        """Interval in short, such as ``94% HDI``."""
        interval = self.compared.rule.interval
        prob = self.language.percent(interval.prob, 0)
        if interval.kind == "hdi":
            return self.language.text("{prob} HDI", prob=prob)
        return self.language.text("{prob} ETI", prob=prob)

    def _meaning(self) -> Iterator[str]:
        text, spec = self.language.text, self.compared.run.spec
        if self.compared.on != "rate":
            yield text(
                "Amounts are those given the totals: their draws hold the luck of the allocation "
                "as well as the uncertainty of rates."
            )
            if self.compared.on == "share":
                yield text("Shares are of the grand total; their differences are percent points.")
            return
        if self.compared.level != names.ENTITY:
            yield text(
                "A rate by {level} is the exposure-weighted mean of its entities' rates.",
                level=printable(self.compared.level),
            )
        if spec.rates.pair_covariates is not None:
            yield text(
                "A rate is that of a pair with average {covariates}; what these do to the pairs "
                "that a name really had is no part of it.",
                covariates=printable(spec.rates.pair_covariates),
            )
        if spec.rates.drift is not None:
            yield text(
                "Rates drift over {period}: a rate is the typical one over all periods, not the "
                "latest.",
                period=printable(spec.rates.drift.period),
            )

    def _rope(self) -> str:
        region = self.compared.rule.equivalence
        if region.scale == "ratio":
            return self.language.percent(region.width, 0 if (100 * region.width) % 1 == 0 else 1)
        return self.language.text("a difference of {value}", value=self.value(region.width))

    def _beside(self, pairs: Pairs, i: int) -> str:
        """Give the ratio, or the difference where the ratio is not defined; larger beside less."""
        turned = pairs.conclusion[i] == Conclusion.LESS
        ratio = [pairs.ratio_median[i], pairs.ratio_lower[i], pairs.ratio_upper[i]]
        if turned or not ratio[1] > 0:
            sign = -1.0 if turned else 1.0
            ends = sorted((sign * pairs.difference_lower[i], sign * pairs.difference_upper[i]))
            return self.language.text(
                "difference {mean} ({interval})",
                mean=self.value(sign * float(pairs.difference_mean[i])),
                interval=self.interval(*map(float, ends)),
            )
        middle, lower, upper = (self.language.significant(float(value)) for value in ratio)
        return self.language.text(
            "ratio {middle} ({lower} to {upper})", middle=middle, lower=lower, upper=upper
        )
