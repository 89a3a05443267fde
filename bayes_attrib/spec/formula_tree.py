"""What a formula can say: its functions, and the nodes of its syntax tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

ELEMENTWISE: Final = ("log", "log1p", "sqrt", "exp")
"""Functions of one number, row by row; they may stand inside each other."""

STATEFUL: Final = MappingProxyType({"scale": (), "poly": ("degree",), "bs": ("df", "degree")})
"""Functions that learn from the training rows, with their whole-number arguments in order."""

FUNCTIONS: Final = (*ELEMENTWISE, "scale", "C", "poly", "bs")

PLAIN_NAME: Final = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the user's table."""

    name: str

    @property
    def text(self) -> str:
        """The column as a formula writes it: in backticks unless its name is plain."""
        return self.name if PLAIN_NAME.fullmatch(self.name) else f"`{self.name}`"


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was written out."""

    value: float

    @property
    def text(self) -> str:
        """The number, such as ``2`` or ``0.5``."""
        return repr(self.value).removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A sum, difference or product of two expressions, row by row."""

    operator: Literal["+", "-", "*"]
    left: Expression
    right: Expression

    @property
    def text(self) -> str:
        """The expression with the parentheses that it needs."""
        left, right = self.left.text, self.right.text
        if self.operator == "*" and _is_sum(self.left):
            left = f"({left})"
        if isinstance(self.right, Arithmetic) and (self.operator == "*" or _is_sum(self.right)):
            right = f"({right})"
        return f"{left} {self.operator} {right}"


@dataclass(frozen=True, slots=True)
class Elementwise:
    """A function of one expression, row by row."""

    function: str
    argument: Expression

    @property
    def text(self) -> str:
        """The call, such as ``log1p(potential)``."""
        return f"{self.function}({self.argument.text})"


Expression = Column | Number | Arithmetic | Elementwise


@dataclass(frozen=True, slots=True)
class Basis:
    """A function that learns from the training rows: ``scale``, ``poly`` or ``bs``.

    Attributes
    ----------
    function : str
        Its name.
    argument : Expression
        What it is a function of.
    options : tuple of int
        Its whole-number arguments, in the order of ``STATEFUL``.
    """

    function: str
    argument: Expression
    options: tuple[int, ...]

    @property
    def text(self) -> str:
        """The call with all its arguments, such as ``bs(age, df=4, degree=3)``."""
        names = STATEFUL[self.function]
        written = [f"{name}={value}" for name, value in zip(names, self.options, strict=True)]
        return f"{self.function}({', '.join([self.argument.text, *written])})"


@dataclass(frozen=True, slots=True)
class Category:
    """A column whose values are names, whatever they look like: ``C(column)``."""

    column: Column

    @property
    def text(self) -> str:
        """The call, such as ``C(region)``."""
        return f"C({self.column.text})"


Factor = Column | Elementwise | Basis | Category
Term = tuple[Factor, ...]


def columns_of(node: Expression | Factor) -> Iterator[str]:
    """Yield the names of the columns under a node, in the order in which they are written."""
    match node:
        case Column(name):
            yield name
        case Arithmetic(_, left, right):
            yield from columns_of(left)
            yield from columns_of(right)
        case Elementwise(_, argument) | Basis(_, argument, _):
            yield from columns_of(argument)
        case Category(column):
            yield column.name
        case Number():
            return


def _is_sum(node: Expression) -> bool:
    return isinstance(node, Arithmetic) and node.operator in "+-"
