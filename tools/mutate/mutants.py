"""The mutants of one source file: cosmic-ray's operators, without those whose result is the same program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from cosmic_ray.ast import get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

# One other operator stands for all others: eleven for each `+` would weigh arithmetic eleven times.
_ARITHMETIC = (
    "Add_Sub", "Sub_Add", "Mul_FloorDiv", "Div_Mul", "FloorDiv_Mul", "Mod_FloorDiv", "Pow_Mul", "RShift_LShift",
    "LShift_RShift", "BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitAnd",
)  # fmt: skip
# A rule without its decorator is no rule, which says nothing of its conditions; variables are not inserted.
_LEFT_OUT = ("core/RemoveDecorator", "core/Variable")
# `is` says of None and of the members of an enumeration what `==` says, and of numbers and texts nothing to rely on.
_IDENTITY = re.compile(r"core/ReplaceComparisonOperator_(Is_Eq|IsNot_NotEq|(Eq|NotEq|Lt|LtE|Gt|GtE|In|NotIn)_Is(Not)?)")
_ORDER_OF_EQUALS = re.compile(r"core/ReplaceComparisonOperator_(Eq|NotEq)_(Lt|LtE|Gt|GtE)")

_Place = tuple[tuple[int, int], tuple[int, int]]
"""Where a part of a source begins and ends, as line and column."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a source file."""

    operator: str
    occurrence: int
    line: int
    code: str
    """The whole source with the change."""

    @property
    def name(self) -> str:
        """How a report tells it from the others of its file."""
        return f"line {self.line}: {self.operator.partition('/')[2]} #{self.occurrence}"


@cache
def _operators() -> dict[str, Operator]:
    names = []
    for name in sorted(operator_names()):
        if name.startswith("core/ReplaceBinaryOperator_"):
            if name.partition("_")[2] in _ARITHMETIC:
                names.append(name)
        elif not name.startswith(_LEFT_OUT) and _IDENTITY.fullmatch(name) is None:
            names.append(name)
    return {name: get_operator(name)() for name in names}


def mutants(source: str) -> Iterator[Mutant]:
    """Each mutant of this source that compiles to another program; ``_silent`` places are left alone."""
    tree = get_ast(source)
    silent, texts = _silent(source), _texts(source)
    original = _program(source)
    for name, operator in _operators().items():
        occurrence = 0
        for node in _nodes(tree):
            for start, _ in operator.mutation_positions(node):
                number, occurrence = occurrence, occurrence + 1
                unordered = texts if _ORDER_OF_EQUALS.fullmatch(name) else []
                if any(low <= start < high for low, high in (*silent, *unordered)):
                    continue
                code = mutate_code(source, operator, number)
                if code is not None and (changed := _program(code)) is not None and changed != original:
                    yield Mutant(name, number, start[0], code)


def _nodes(node: object) -> Iterator[object]:
    """In cosmic-ray's order, by which it counts occurrences."""
    yield node
    for child in getattr(node, "children", ()):
        yield from _nodes(child)


def _silent(source: str) -> list[_Place]:
    """Where that begins and ends which is no condition, as line and column.

    Annotations, which never run; decorators; the fields of a ``Rule(...)``; the limits between which a person may set a
    threshold; whether ``zip`` takes rows of other lengths.
    """
    found: list[ast.AST] = []
    for node in ast.walk(ast.parse(source)):
        found += [one for name in ("annotation", "returns") if (one := getattr(node, name, None)) is not None]
        found += getattr(node, "decorator_list", ())
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "Rule":
                found.append(node)
            if node.func.id == "Threshold":
                found += [word.value for word in node.keywords if word.arg in ("least", "most")]
            if node.func.id == "zip":
                found += [word.value for word in node.keywords if word.arg == "strict"]
    return [_place(one) for one in found if isinstance(one, ast.expr)]


def _texts(source: str) -> list[_Place]:
    """Where something is compared with a text: which of two texts comes first is no condition of any rule."""
    compared = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Compare))
    return [
        _place(node)
        for node in compared
        if any(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in (node.left, *node.comparators))
    ]


def _place(one: ast.expr) -> _Place:
    return (one.lineno, one.col_offset), (one.end_lineno or 0, one.end_col_offset or 0)


def _program(code: str) -> str | None:
    """What runs, without the place of each word; None for what does not compile."""
    try:
        return ast.dump(ast.parse(code))
    except SyntaxError:
        return None
