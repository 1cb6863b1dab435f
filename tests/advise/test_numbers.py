"""Every number on which a rule's judgement rests is a threshold, or is named here with what it is instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import kvmnb.advise

HERE = Path(kvmnb.advise.__file__).parent
DECLARING = ("Threshold", "Rule", "Myth")

NO_JUDGEMENT = {
    "cpu/clash.py MOST_TOLD": "how many are named in a sentence",
    "cpu/irq_affinity.py MOST_IN_WORDS": "how many are named in a sentence",
    "cpu/mitigation_host.py SEVERAL_GUESTS": "what several means",
    "cpu/mode.py _MIGRATABLE_SINCE": "a version of libvirt",
    "cpu/overcommit.py LARGEST_TOLD": "how many are named in a sentence",
    "cpu/quota.py USUAL_PERIOD": "the kernel's own default",
    "cpu/topology_match.py SOCKETS_OF_WINDOWS": "a licence's limit",
    "disk/machine_type.py _RED_HAT_QEMU": "versions of QEMU",
    "disk/qcow2_cache.py DEFAULT_BYTES": "QEMU's own default",
    "disk/qcow2_cache.py REFCOUNT_CLUSTERS": "QEMU's own least",
    "disk/qcow2_layout.py DEFAULT_CLUSTER": "QEMU's own default",
    "dom/pending_config.py MOST_IN_WORDS": "how many are named in a sentence",
    "kvm/halt_poll.py USUAL": "the kernel's own default",
    "mem/backing.py _SHOWN": "how many are named in a sentence",
    "mem/ksm.py PAGE_BYTES": "the size of a page",
    "mem/pages.py USUAL_SIZE": "the size of a page",
    "mem/pages.py HUGE_SIZE": "the size of a page",
    "net/bridge_stp.py LEAST_DELAY": "the least that the kernel takes",
    "net/conntrack.py ENTRY_BYTES": "the size of an entry of the kernel's table",
    "net/mtu.py _HEADERS": "the length of the headers",
    "net/queues.py TAP_QUEUES": "the most that a tap takes",
    "net/ring_virtio.py TAP_TX_ENTRIES": "the most that QEMU gives a tap",
    "net/ring_virtio.py LARGEST_RX_ENTRIES": "the most that QEMU takes",
}


def constants(source: str) -> Iterator[str]:
    """The names that a module gives to what holds a number and is no declaration with a basis of its own."""
    for one in ast.parse(source).body:
        if isinstance(one, ast.Assign):
            names, value = [ast.unparse(target) for target in one.targets], one.value
        elif isinstance(one, ast.AnnAssign) and one.value is not None:
            names, value = [ast.unparse(one.target)], one.value
        else:
            continue
        declared = isinstance(value, ast.Call) and ast.unparse(value.func) in DECLARING
        if not declared and any(_is_number(part) for part in ast.walk(value)):
            yield from names


def _is_number(part: ast.AST) -> bool:
    if isinstance(part, ast.Constant):
        return isinstance(part.value, (int, float)) and not isinstance(part.value, bool)
    return isinstance(part, ast.Name) and part.id in ("KIB", "MIB", "GIB", "TIB")


def plain(source: str) -> Iterator[str]:
    """The comparisons inside functions with a number of their own, but for 0, 1 and 2, and the lengths of texts."""
    functions = (one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef))
    for part in (part for one in functions for part in ast.walk(one)):
        if isinstance(part, ast.Compare):
            sides = (part.left, *part.comparators)
            counts = any(isinstance(side, ast.Call) and ast.unparse(side.func) == "len" for side in sides)
            for side in () if counts else sides:
                if isinstance(side, ast.Constant) and _is_number(side) and side.value not in (0, 1, 2):
                    yield ast.unparse(part)


def test_a_number_beside_a_rule_is_a_threshold_or_is_named_with_a_reason() -> None:
    found = {
        f"{path.relative_to(HERE)} {name}"
        for path in HERE.rglob("*.py")
        if path.parent != HERE
        for name in constants(path.read_text(encoding="utf-8"))
    }
    assert sorted(found - NO_JUDGEMENT.keys()) == [], "declare a Threshold, or say above what else it is"
    assert sorted(NO_JUDGEMENT.keys() - found) == [], "no longer there"


def test_the_search_for_numbers_sees_each_form_of_one() -> None:
    source = "A = 3\nB: float = 0.5\nC = 2 * GIB\nD = {'x': (1,)}\nE = Threshold(default=3)\nF = 'x'\nG = True"
    assert list(constants(source)) == ["A", "B", "C", "D"]
    assert list(plain("def f(a):\n    return a > 7 or a == 1 or a * 100 < 5 or len(a) > 9")) == ["a > 7", "a * 100 < 5"]


def test_no_rule_compares_with_a_number_that_has_no_name() -> None:
    found = {
        f"{path.relative_to(HERE)} {words}"
        for path in HERE.rglob("*.py")
        if path.parent != HERE
        for words in plain(path.read_text(encoding="utf-8"))
    }
    assert sorted(found) == []
