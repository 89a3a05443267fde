"""Covariate formulas: a closed vocabulary, checked and taken apart before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.spec.closed import fault
from bayes_attrib.spec.formula_parser import parse_terms
from bayes_attrib.spec.formula_tokens import FormulaError
from bayes_attrib.spec.formula_tree import Category, Column, Factor, Term, columns_of


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that keeps to the vocabulary.

    Attributes
    ----------
    text : str
        As it was written.
    terms : tuple of tuple of Factor
        What is added up: each term is a product of factors. The intercept is the model's own.
    """

    text: str
    terms: tuple[Term, ...]

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The distinct factors of all terms, in order of appearance."""
        return tuple(dict.fromkeys(factor for term in self.terms for factor in term))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the formula reads, each once, in order of appearance."""
        return _distinct(columns_of(factor) for factor in self.factors)

    @property
    def categorical(self) -> tuple[str, ...]:
        """Columns inside ``C()``: their values are names, even where they look like numbers."""
        return _distinct(columns_of(f) for f in self.factors if isinstance(f, Category))

    @property
    def numeric(self) -> tuple[str, ...]:
        """Columns that a function other than ``C()`` reads: their values must be numbers."""
        computed = (f for f in self.factors if not isinstance(f, Category | Column))
        return _distinct(columns_of(factor) for factor in computed)


def parse_formula(text: str) -> Formula:
    """Parse a formula; nothing is evaluated.

    Parameters
    ----------
    text : str
        Columns, ``+ - : *``, parentheses, and the functions ``log``, ``log1p``, ``sqrt``, ``exp``,
        ``scale``, ``C``, ``poly`` and ``bs``; numbers inside functions.

    Returns
    -------
    Formula
        Its terms and columns.

    Raises
    ------
    SpecError
        If the text leaves this vocabulary.
    """
    try:
        return _parse(text)
    except FormulaError as error:
        finding = Finding("invalid-formula", "error", "formula", error.message, error.remedy)
        raise SpecError("the formula cannot be read:", [finding]) from error


def _parse(text: str) -> Formula:
    formula = Formula(text, parse_terms(text))
    plain = {factor.name for factor in formula.factors if isinstance(factor, Column)}
    both = [name for name in formula.categorical if name in {*plain, *formula.numeric}]
    if both:
        name = Column(both[0]).text
        raise FormulaError(
            f"column {name} stands both inside C() and outside of it in {text!r}",
            f"write C({name}) everywhere or nowhere; a second role needs a copy of the column",
        )
    return formula


def _checked(text: str) -> str:
    try:
        _parse(text)
    except FormulaError as error:
        raise fault(error.message, error.remedy) from error
    return text


FormulaText = Annotated[str, AfterValidator(_checked)]
"""A formula as a spec holds it: its own text, which keeps to the vocabulary."""


def _distinct(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in groups for name in names))
