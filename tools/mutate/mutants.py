"""The mutants of one source file: cosmic-ray's operators, without those whose result is the same program."""

from __future__ import annotations

import ast
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
        elif not name.startswith(_LEFT_OUT):
            names.append(name)
    return {name: get_operator(name)() for name in names}


def mutants(source: str) -> Iterator[Mutant]:
    """Each mutant of this source that compiles to another program; annotations, which never run, are left alone."""
    tree = get_ast(source)
    silent = _annotation_lines(source)
    original = _program(source)
    for name, operator in _operators().items():
        occurrence = 0
        for node in _nodes(tree):
            for start, _ in operator.mutation_positions(node):
                number, occurrence = occurrence, occurrence + 1
                if any(low <= start < high for low, high in silent):
                    continue
                code = mutate_code(source, operator, number)
                if code is not None and (changed := _program(code)) is not None and changed != original:
                    yield Mutant(name, number, start[0], code)


def _nodes(node: object) -> Iterator[object]:
    """In cosmic-ray's order, by which it counts occurrences."""
    yield node
    for child in getattr(node, "children", ()):
        yield from _nodes(child)


def _annotation_lines(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations begin and end, as line and column."""
    found = []
    for node in ast.walk(ast.parse(source)):
        one = getattr(node, "annotation", None) or getattr(node, "returns", None)
        if isinstance(one, ast.expr):
            assert one.end_lineno is not None
            assert one.end_col_offset is not None
            found.append(((one.lineno, one.col_offset), (one.end_lineno, one.end_col_offset)))
    return found


def _program(code: str) -> str | None:
    """What runs, without the place of each word; None for what does not compile."""
    try:
        return ast.dump(ast.parse(code))
    except SyntaxError:
        return None
