"""From the text of a formula to its terms; nothing is evaluated, and what is not listed is refused.

The grammar, loosest binding first::

    formula     = product {("+" | "-") product}
    product     = interaction {"*" interaction}
    interaction = atom {":" atom}
    atom        = column | call | "(" formula ")"
    call        = function "(" expression {"," [name "="] number} ")"
    expression  = sums, differences and products of columns, numbers and elementwise calls

Outside of functions the signs are those of Wilkinson and Rogers (1973), "Symbolic description of
factorial models for analysis of variance", Applied Statistics 22, 392-399: ``+`` adds terms, ``-``
takes them away, ``a:b`` is the interaction, and ``a * b`` stands for ``a + b + a:b``.
"""

from __future__ import annotations

from typing import Final

from bayes_attrib.spec.formula_calls import parse_call, parse_column
from bayes_attrib.spec.formula_tokens import FormulaError, Token, TokenStream
from bayes_attrib.spec.formula_tree import Factor, Term

_MAX_TERMS: Final = 1000
_OWN_INTERCEPT: Final = (
    "leave the number out: the model has its own intercept, and a factor on a covariate changes "
    "nothing because covariates are standardised"
)


def parse_terms(text: str) -> tuple[Term, ...]:
    """Parse a formula into its terms.

    Parameters
    ----------
    text : str
        The formula.

    Returns
    -------
    tuple of Term
        Distinct terms; those of fewer factors come first, else in the order of the text.

    Raises
    ------
    FormulaError
        If the text is not of the grammar, or nothing is left of it.
    """
    stream = TokenStream(text)
    if stream.next.kind == "end":
        raise FormulaError("the formula is empty", "name a column, or remove the key")
    terms = _formula(stream)
    if stream.next.kind != "end":
        stream.refuse(stream.next)
    if not terms:
        raise FormulaError(
            f"nothing is left of {text!r}: each term is taken away again",
            "keep a term, or remove the key",
        )
    return tuple(sorted(terms, key=len))


def _formula(stream: TokenStream) -> tuple[Term, ...]:
    terms = _product(stream)
    while stream.next.is_sign("+", "-"):
        if stream.accept("+"):
            terms = _union(terms, _product(stream))
        else:
            sign = stream.take()
            terms = _without(stream, sign, terms, _product(stream))
    return terms


def _product(stream: TokenStream) -> tuple[Term, ...]:
    terms = _interaction(stream)
    while stream.accept("*"):
        right = _interaction(stream)
        terms = _union(terms, right, _crossed(terms, right))
    return terms


def _interaction(stream: TokenStream) -> tuple[Term, ...]:
    terms = _atom(stream)
    while stream.accept(":"):
        terms = _crossed(terms, _atom(stream))
    return terms


def _atom(stream: TokenStream) -> tuple[Term, ...]:
    token = stream.take()
    if token.is_sign("("):
        stream.open(token)
        terms = _formula(stream)
        stream.close(token)
        return terms
    sign = "-" if token.is_sign("-") and stream.next.kind == "number" else ""
    number = stream.next if sign else token
    if number.kind == "number":
        message = f"the number {sign}{number.text} stands outside of a function"
        stream.fail(message, token, _OWN_INTERCEPT)
    if token.kind == "name" and stream.accept("("):
        return ((parse_call(stream, token),),)
    return ((parse_column(stream, token),),)


def _crossed(left: tuple[Term, ...], right: tuple[Term, ...]) -> tuple[Term, ...]:
    if len(left) * len(right) > _MAX_TERMS:
        raise FormulaError(
            f"the formula expands to more than {_MAX_TERMS:,} terms",
            "cross fewer columns, or name the interactions one by one",
        )
    return _union(tuple(tuple(dict.fromkeys((*a, *b))) for a in left for b in right))


def _without(
    stream: TokenStream, sign: Token, terms: tuple[Term, ...], removed: tuple[Term, ...]
) -> tuple[Term, ...]:
    known, gone = set(map(frozenset, terms)), set(map(frozenset, removed))
    for term in removed:
        if frozenset(term) not in known:
            name = ":".join(factor.text for factor in term)
            stream.fail(
                f"there is no term {name} before '-' to take away",
                sign,
                "outside of functions, - takes a term away, as in a * b - b; for the difference "
                "of two columns write scale(a - b)",
            )
    return tuple(term for term in terms if frozenset(term) not in gone)


def _union(*groups: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return terms in order, each once; terms of the same factors are the same."""
    distinct: dict[frozenset[Factor], Term] = {}
    for terms in groups:
        for term in terms:
            distinct.setdefault(frozenset(term), term)
    return tuple(distinct.values())
