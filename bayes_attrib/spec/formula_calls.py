"""Inside the parentheses of a function: arithmetic, nested functions and whole-number arguments."""

from __future__ import annotations

import difflib
import math
from types import MappingProxyType
from typing import Final

from bayes_attrib.spec.formula_tokens import Token, TokenStream
from bayes_attrib.spec.formula_tree import (
    ELEMENTWISE,
    FUNCTIONS,
    STATEFUL,
    Arithmetic,
    Basis,
    Category,
    Column,
    Elementwise,
    Expression,
    Number,
    columns_of,
)

_MAX_OPTION: Final = 50
_SAID_ELSEWHERE: Final = MappingProxyType(
    {"ln": "log", "log10": "log", "log2": "log", "factor": "C", "center": "scale", "pow": "poly"}
)


def parse_call(stream: TokenStream, name: Token) -> Elementwise | Basis | Category:
    """Parse a call whose opening parenthesis has been read.

    Parameters
    ----------
    stream : TokenStream
        What follows.
    name : Token
        The function.

    Returns
    -------
    Elementwise, Basis or Category
        The call.

    Raises
    ------
    FormulaError
        If the function or one of its arguments is outside of the vocabulary.
    """
    if name.text not in FUNCTIONS:
        _refuse_function(stream, name)
    stream.open(name)
    call = _category(stream) if name.text == "C" else _computed(stream, name)
    if stream.next.is_sign(",", "="):
        argument = "the name of one column" if name.text == "C" else "one column or expression"
        stream.refuse(stream.next, f"{name.text} takes {argument}")
    stream.close(name)
    if not any(columns_of(call)):
        stream.fail(f"{name.text} reads no column", name, f"name one, as in {name.text}(column)")
    return call


def parse_column(stream: TokenStream, token: Token) -> Column:
    """Return a token as a column.

    Raises
    ------
    FormulaError
        If it is no name.
    """
    if token.kind not in ("name", "quoted"):
        stream.refuse(token)
    return Column(token.text)


def _refuse_function(stream: TokenStream, name: Token) -> None:
    near = difflib.get_close_matches(name.text, FUNCTIONS, n=1)
    guess = _SAID_ELSEWHERE.get(name.text) or next(iter(near), None)
    hint = f"did you mean {guess!r}? " if guess else ""
    remedy = f"{hint}known functions: {', '.join(FUNCTIONS)}"
    stream.fail(f"unknown function {name.text!r}", name, remedy)


def _category(stream: TokenStream) -> Category:
    token = stream.take()
    if token.kind not in ("name", "quoted", "strange", "end"):
        stream.refuse(token, "C takes the name of one column")
    return Category(parse_column(stream, token))


def _computed(stream: TokenStream, name: Token) -> Elementwise | Basis:
    argument = _expression(stream)
    if name.text in ELEMENTWISE:
        return Elementwise(name.text, argument)
    given = _options(stream, name)
    if name.text == "poly" and "degree" not in given:
        stream.fail("poly needs a degree", name, f"write poly({argument.text}, degree=2)")
    if name.text == "bs":
        degree = given.setdefault("degree", 3)
        if given.setdefault("df", degree) < degree:
            message = f"bs has df={given['df']}, fewer than its degree={degree}"
            stream.fail(message, name, f"write df={degree} or more, or a smaller degree")
    return Basis(name.text, argument, tuple(given[key] for key in STATEFUL[name.text]))


def _options(stream: TokenStream, name: Token) -> dict[str, int]:
    """Parse what follows the first argument, by position or by name."""
    known, given = STATEFUL[name.text], dict[str, int]()
    while stream.accept(","):
        value = stream.take()
        key = next((k for k in known if k not in given), "")
        if value.kind == "name" and stream.accept("="):
            key, named, value = value.text, value, stream.take()
        else:
            named = value
        if key not in known or key in given:
            takes = " and ".join(f"{k}=..." for k in known) or "nothing"
            remedy = f"beside its column {name.text} takes {takes}"
            stream.fail(f"{name.text} does not take {named.text!r}", named, remedy)
        if not (value.text.isdecimal() and 1 <= int(value.text) <= _MAX_OPTION):
            remedy = f"write a whole number from 1 to {_MAX_OPTION}"
            stream.fail(f"{key} of {name.text} is {value.text!r}", value, remedy)
        given[key] = int(value.text)
    return given


def _expression(stream: TokenStream) -> Expression:
    found = _product(stream)
    while stream.next.is_sign("+", "-"):
        operator = stream.take().text
        found = Arithmetic("+" if operator == "+" else "-", found, _product(stream))
    if stream.next.is_sign(":"):
        stream.refuse(stream.next, "inside functions write * for a product")
    return found


def _product(stream: TokenStream) -> Expression:
    found = _operand(stream)
    while stream.accept("*"):
        found = Arithmetic("*", found, _operand(stream))
    return found


def _operand(stream: TokenStream) -> Expression:
    token = stream.take()
    if token.kind == "number":
        return _number(stream, token)
    if token.is_sign("-"):
        return _negated(stream, token)
    if token.is_sign("("):
        stream.open(token)
        inner = _expression(stream)
        stream.close(token)
        return inner
    if token.kind == "name" and stream.accept("("):
        return _nested_call(stream, token)
    return parse_column(stream, token)


def _number(stream: TokenStream, token: Token) -> Number:
    value = float(token.text)
    if not math.isfinite(value):
        stream.fail(f"the number {token.text} is too large", token, "write a smaller number")
    return Number(value)


def _negated(stream: TokenStream, minus: Token) -> Expression:
    stream.open(minus)
    operand = _operand(stream)
    stream.close()
    if isinstance(operand, Number):
        return Number(-operand.value)
    return Arithmetic("-", Number(0.0), operand)


def _nested_call(stream: TokenStream, name: Token) -> Elementwise:
    call = parse_call(stream, name)
    if not isinstance(call, Elementwise):
        stream.fail(
            f"{name.text} stands inside another function",
            name,
            f"make {name.text} the outermost; inside stand only {', '.join(ELEMENTWISE)} and + - *",
        )
    return call
