"""The words of a formula, where each stands, and how to refuse one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NoReturn

from bayes_attrib.spec.formula_tree import FUNCTIONS, PLAIN_NAME

_TOKEN: Final = re.compile(
    rf"""\s*(?:
        (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
      | (?P<odd>\*\*|//|\d[\w.]*)
      | (?P<name>{PLAIN_NAME.pattern})
      | `(?P<quoted>[^`\n]+)`
      | (?P<sign>[-+*:(),=])
      | (?P<end>$)
      | (?P<strange>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_MAX_DEPTH: Final = 40
_MAX_SHOWN: Final = 80

VOCABULARY: Final = (
    f"a formula knows columns, + - : *, parentheses, numbers inside functions, "
    f"and {', '.join(FUNCTIONS)}"
)
_BACKTICKS: Final = "a column with blanks or signs in its name stands in backticks"
_POWERS: Final = "for powers write poly(column, degree=2); for interactions a * b"
_RATIOS: Final = "for a ratio write exp(log(a) - log(b)); for its logarithm log(a) + log(b) will do"
_REMEDIES: Final = MappingProxyType(
    {
        ".": f"a formula has no attributes; {_BACKTICKS}: `a.b`",
        "'": f"text has no place in a formula; {_BACKTICKS}",
        '"': f"text has no place in a formula; {_BACKTICKS}",
        "/": _RATIOS,
        "//": _RATIOS,
        "^": _POWERS,
        "**": _POWERS,
        "~": "a formula has no left-hand side; write what stands to the right of ~",
        "`": "close the backticks around the column's name",
    }
)


class FormulaError(ValueError):
    """A formula leaves the vocabulary.

    Parameters
    ----------
    message : str
        Which piece, and where it stands.
    remedy : str
        What to write instead.
    """

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign of a formula.

    Attributes
    ----------
    kind : {"number", "name", "quoted", "sign", "end", "strange"}
        What it is; a quoted name stands in backticks, and what is strange belongs nowhere.
    text : str
        How it is written, without backticks.
    place : int
        Its first character, counted from 1.
    """

    kind: str
    text: str
    place: int

    def is_sign(self, *signs: str) -> bool:
        """Whether the token is one of some signs."""
        return self.kind == "sign" and self.text in signs


class TokenStream:
    """The tokens of a formula, read from left to right.

    Parameters
    ----------
    text : str
        The formula.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    @property
    def next(self) -> Token:
        """The token that comes next; the end comes again and again."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """Return the next token and move on."""
        token = self.next
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def accept(self, sign: str) -> bool:
        """Move past a sign if it comes next, and say whether it did."""
        found = self.next.is_sign(sign)
        if found:
            self.take()
        return found

    def open(self, opening: Token) -> None:
        """Enter something nested.

        Raises
        ------
        FormulaError
            If that is too deep.
        """
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self.fail("the formula is nested too deeply", opening, "remove parentheses")

    def close(self, opening: Token | None = None) -> None:
        """Leave something nested.

        Parameters
        ----------
        opening : Token, optional
            What needs a closing parenthesis now.

        Raises
        ------
        FormulaError
            If there is none.
        """
        self._depth -= 1
        if opening is None or self.accept(")"):
            return
        if self.next.kind == "end":
            self.fail(f"{opening.text!r} is not closed", opening, "add a closing parenthesis")
        self.refuse(self.next)

    def refuse(self, token: Token, remedy: str = VOCABULARY) -> NoReturn:
        """Say that a piece has no place where it stands.

        Raises
        ------
        FormulaError
            Always.
        """
        if token.kind == "end":
            self.fail("the formula breaks off", token, "complete it, or remove the last sign")
        if token.kind == "strange":
            message = f"{token.text!r} is not known to formulas"
            self.fail(message, token, _REMEDIES.get(token.text, VOCABULARY))
        self.fail(f"{token.text!r} is out of place", token, remedy)

    def fail(self, message: str, token: Token, remedy: str) -> NoReturn:
        """Say what is wrong about a token, and where it stands.

        Raises
        ------
        FormulaError
            Always.
        """
        raise FormulaError(f"{message}, at character {token.place} of {self._near(token)}", remedy)

    def _near(self, token: Token) -> str:
        if len(self.text) <= _MAX_SHOWN:
            return repr(self.text)
        start = max(0, min(token.place - _MAX_SHOWN // 2, len(self.text) - _MAX_SHOWN))
        return f"the formula, near {self.text[start : start + _MAX_SHOWN]!r}"


def _tokens(text: str) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "end"
        found.append(
            Token("strange" if kind == "odd" else kind, match[kind], match.start(kind) + 1)
        )
        if kind == "end":
            break
    return found
