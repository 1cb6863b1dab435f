from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kvmnb.core import codec
from kvmnb.core.errors import XmlError
from kvmnb.core.xml import Document, Edited, Path, Reversal, edit, holds, read, revert
from kvmnb.machine.domain_shape import DOMAIN

# Places to change and values for them; each meets documents where it is there, absent, or closed by itself.
CHANGES: dict[str, list[str | None]] = {
    "@type": ["kvm", "qemu"],
    "vcpu/text()": ["4", "8"],
    "vcpu/@placement": ["auto", None],
    "vcpu/@cpuset": ["0-3,^2", "<&\"'>", None],
    "iothreads/text()": ["2", None],
    "currentMemory/text()": ["1024", None],
    "cputune": [None, "<cputune><shares>10</shares><vcpupin vcpu='1' cpuset='1'/></cputune>", "<cputune/>"],
    "cputune/vcpupin[0]/@cpuset": ["0", "ü😀", None],
    "cputune/vcpupin[2]/@cpuset": ["2", None],
    "cputune/vcpupin[1]": ["<vcpupin vcpu='1' cpuset='7'/>", None],
    "cputune/shares/text()": ["5", "a\tb<c>\r", None],
    "cputune/emulatorpin/@cpuset": ["1", None],
    "cpu": [None, "<cpu mode='maximum'><topology sockets='1' cores='2' threads='1'/></cpu>"],
    "cpu/@mode": ["host-passthrough", None],
    "cpu/topology/@cores": ["3", None],
    "cpu/numa/cell[0]/@cpus": ["0", None],
    "cpu/numa/cell[1]": ["<cell id='1' cpus='1' memory='4'/>", None],
    "cpu/feature[x2apic]/@policy": ["require", "disable", None],
    "memoryBacking/hugepages/page[2048]/@unit": ["KiB", None],
    "memoryBacking/locked": ["<locked/>", None],
    "devices/disk[vda]/driver/@cache": ["none", None],
    "devices/disk[vda]/driver": ["<driver name='qemu' io='native'/>", None],
    "devices/disk[vda]/iotune/total_iops_sec/text()": ["100", None],
    "devices/memballoon": [None, "<memballoon model='none'/>"],
    "devices/controller[scsi][0]/driver/@queues": ["4", None],
    "qemu:commandline/qemu:arg[0]/@value": ["-S", None],
}

BLANKS = st.sampled_from(
    ["", " ", "\n", "\n  ", "\r\n\t", "\n\n    ", "<!-- <vcpu>9</vcpu> ü -->", " <!-- x -->\n", "<?pi <a?>"]
)
VALUES = st.sampled_from(["", "0", "static", "auto", "ü😀", "a>b", "&amp;&lt;", "&#48;", "require"])
NAMES = {
    "domain": ("vcpu", "iothreads", "currentMemory", "cputune", "cpu", "memoryBacking", "devices", "metadata", "os"),
    "cputune": ("shares", "vcpupin", "emulatorpin"),
    "cpu": ("model", "topology", "feature", "numa"),
    "numa": ("cell",),
    "memoryBacking": ("hugepages", "locked"),
    "hugepages": ("page",),
    "devices": ("disk", "controller", "memballoon"),
    "disk": ("driver", "iotune"),
    "iotune": ("total_iops_sec",),
    "metadata": ("cputune", "vcpu"),
}
TEXTS = ("vcpu", "iothreads", "currentMemory", "shares", "total_iops_sec", "model")


@st.composite
def domains(draw: Any) -> str:
    """A domain as an odd hand might write it."""
    line = draw(st.sampled_from(["\n", "\r\n", "", "odd"]))
    unit = draw(st.sampled_from(["  ", "\t", "", "    "]))

    def gap(depth: int) -> str:
        return draw(BLANKS) if line == "odd" or draw(st.integers(0, 9)) == 0 else (line and line + unit * depth)

    def attribute(name: str, value: str) -> str:
        quote = draw(st.sampled_from("'\""))
        lead, equals = draw(st.sampled_from([" ", "  ", "\n"])), draw(st.sampled_from(["=", " = "]))
        return f"{lead}{name}{equals}{quote}{value}{quote}"

    def element(name: str, number: int, depth: int, parent: str) -> str:
        keys = {"vcpupin": "vcpu", "cell": "id"}
        attributes = [attribute(keys[name], str(number))] if name in keys else []
        if name == "page":
            attributes = [attribute("size", "2048")]
        if name == "feature":
            attributes = [attribute("name", ["x2apic", "pcid", "svm"][number])]
        if name == "controller":
            attributes = [attribute("type", "scsi"), attribute("index", str(number))]
        if parent == "metadata":
            attributes = [attribute("xmlns", "urn:x")]
        for extra in draw(
            st.sets(st.sampled_from(["placement", "cpuset", "mode", "cores", "policy", "cache", "unit"]), max_size=2)
        ):
            attributes.append(attribute(extra, draw(VALUES)))
        inner = ""
        if name == "disk":
            inner = gap(depth + 1) + f"<target dev='vd{'abc'[number]}'/>"
        for child in draw(st.permutations(NAMES.get(name, ()))):
            times = draw(st.integers(0, 3)) if child in ("vcpupin", "cell", "feature", "disk", "controller") else 1
            if child == "devices" or draw(st.booleans()):
                inner += "".join(gap(depth + 1) + element(child, i, depth + 1, name) for i in range(times))
        if name in TEXTS:
            inner = draw(BLANKS) + draw(st.sampled_from(["", "4", "ü", "<![CDATA[<4>]]>", "&#52;"])) + draw(BLANKS)
        elif inner:
            inner += gap(depth)
        else:
            inner = draw(st.sampled_from(["", "", "\n", "<!-- c -->"]))
        start = f"<{name}{''.join(attributes)}{draw(st.sampled_from(['', ' ']))}"
        if not inner and draw(st.booleans()):
            return f"{start}/>"
        return f"{start}>{inner}</{name}{draw(st.sampled_from(['', ' ']))}>"

    return draw(st.sampled_from(["", "<?xml version='1.0'?>\n<!-- é -->\n"])) + element("domain", 0, 0, "") + gap(0)


@st.composite
def changes(draw: Any) -> list[tuple[Path, str | None]]:
    names = draw(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=6, unique=True))
    return [(Path.parse(name), draw(st.sampled_from(CHANGES[name]))) for name in names]


shortly = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
at_length = settings(shortly, max_examples=2000)


@shortly
@given(domains(), changes())
def test_an_edit_is_undone_byte_for_byte_and_done_twice_does_nothing_more(
    text: str, pairs: list[tuple[Path, str | None]]
) -> None:
    check_undone(text, pairs)


@pytest.mark.soak
@at_length
@given(domains(), changes())
def test_many_edits_are_undone_byte_for_byte_and_done_twice_do_nothing_more(
    text: str, pairs: list[tuple[Path, str | None]]
) -> None:
    check_undone(text, pairs)


def check_undone(text: str, pairs: list[tuple[Path, str | None]]) -> None:
    try:
        edited = edit(text, pairs, DOMAIN)
    except XmlError:
        return
    Document.parse(edited.text)
    kept = codec.from_json(codec.to_json(edited.reversal), Reversal, "a reversal")
    assert kept == edited.reversal
    assert revert(edited.text, kept, DOMAIN) == text
    if not _overlap([path for path, _ in pairs]):
        assert all(holds(Document.parse(edited.text), path, value, DOMAIN) for path, value in pairs)
        assert edit(edited.text, pairs, DOMAIN) == Edited(edited.text, Reversal())


@shortly
@given(domains(), changes(), changes())
def test_an_edit_is_undone_under_a_later_edit_elsewhere(
    text: str, first: list[tuple[Path, str | None]], second: list[tuple[Path, str | None]]
) -> None:
    check_undone_under(text, first, second)


@pytest.mark.soak
@at_length
@given(domains(), changes(), changes())
def test_many_edits_are_undone_under_later_edits_elsewhere(
    text: str, first: list[tuple[Path, str | None]], second: list[tuple[Path, str | None]]
) -> None:
    check_undone_under(text, first, second)


def check_undone_under(text: str, first: list[tuple[Path, str | None]], second: list[tuple[Path, str | None]]) -> None:
    """Undoing the first of two edits leaves the second's values, where they touch other elements."""
    if {str(path).split("/")[0] for path, _ in first} & {str(path).split("/")[0] for path, _ in second}:
        return
    try:
        one = edit(text, first, DOMAIN)
        both = edit(one.text, second, DOMAIN)
        alone = edit(text, second, DOMAIN)
    except XmlError:
        return
    left = revert(both.text, one.reversal, DOMAIN)
    for path, value in second:
        if not _overlap([path for path, _ in second]):
            assert holds(Document.parse(left), path, value, DOMAIN)
    for path, _ in first:
        if path.attribute is not None or path.text:
            assert read(Document.parse(left), path, DOMAIN) == read(Document.parse(alone.text), path, DOMAIN)


def _overlap(paths: list[Path]) -> bool:
    ways = [path.steps for path in paths]
    return any(a is not b and b[: len(a)] == a for a in ways for b in ways)


PINS = [(Path.parse(f"cputune/vcpupin[{i}]/@cpuset"), str(i)) for i in range(2)]


def undone(before: str, pairs: list[tuple[Path, str | None]], *later: tuple[str, str]) -> str:
    """The text after an edit, changes by others, and the edit's undoing."""
    edited = edit(before, pairs, DOMAIN)
    text = edited.text
    for old, new in later:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return revert(text, edited.reversal, DOMAIN)


def test_what_others_put_into_a_new_parent_stays_with_it() -> None:
    after = undone("<domain><vcpu>2</vcpu></domain>", list(PINS), ("</cputune>", "<shares>5</shares></cputune>"))
    assert after == "<domain><vcpu>2</vcpu><cputune><shares>5</shares></cputune></domain>"
    after = undone("<domain><vcpu>2</vcpu></domain>", list(PINS), ("</cputune>", "<!-- mine --></cputune>"))
    assert after == "<domain><vcpu>2</vcpu><cputune><!-- mine --></cputune></domain>"
    whole: list[tuple[Path, str | None]] = [
        (Path.parse("cputune"), "<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>")
    ]
    after = undone("<domain/>", whole, ("</cputune>", "<shares>5</shares></cputune>"))
    assert after == "<domain><cputune><shares>5</shares></cputune></domain>"


def test_an_attribute_that_others_set_on_a_new_element_stays() -> None:
    before = "<domain><devices><disk><target dev='vda'/></disk></devices></domain>"
    pairs: list[tuple[Path, str | None]] = [(Path.parse("devices/disk[vda]/driver/@cache"), "none")]
    after = undone(before, pairs, ("cache='none'", "cache='none' io='native'"))
    assert after == before.replace("<target", "<driver io='native'/><target")


def test_a_node_that_is_gone_is_left_so() -> None:
    before = "<domain><vcpu cpuset='1'>2</vcpu><devices><disk><target dev='vda'/></disk></devices></domain>"
    pairs: list[tuple[Path, str | None]] = [
        (Path.parse("devices/disk[vda]/driver/@cache"), "none"),
        (Path.parse("vcpu/@cpuset"), "0"),
        *PINS,
    ]
    edited = edit(before, pairs, DOMAIN)
    bare = "<domain><devices/></domain>"
    assert revert(bare, edited.reversal, DOMAIN) == bare


@pytest.mark.parametrize("path", ["cputune/vcpupin[0]", "cputune/vcpupin[0]/@cpuset", "cputune"])
def test_what_was_removed_comes_back_although_its_parents_are_gone(path: str) -> None:
    before = "<domain>\n  <vcpu>2</vcpu>\n  <cputune>\n    <vcpupin vcpu='0' cpuset=\"3\"/>\n  </cputune>\n</domain>\n"
    edited = edit(before, [(Path.parse(path), None)], DOMAIN)
    left = revert('<domain>\n\t<vcpu placement="static">2</vcpu>\n</domain>\n', edited.reversal, DOMAIN)
    assert read(Document.parse(left), Path.parse("cputune/vcpupin[0]/@cpuset"), DOMAIN) == "3"
    assert 'placement="static"' in left


def test_an_interface_that_lost_its_name_is_found_by_its_address() -> None:
    named = "<interface><mac address='52:54:00:aa:00:01'/><target dev='vnet0'/></interface>"
    before = f"<domain><devices>{named}</devices></domain>"
    pairs: list[tuple[Path, str | None]] = [(Path.parse("devices/interface[vnet0]/driver/@queues"), "4")]
    after = undone(before, pairs, ("<target dev='vnet0'/>", ""))
    assert after == before.replace("<target dev='vnet0'/>", "")


def test_a_document_of_another_kind_is_refused() -> None:
    edited = edit("<domain/>", PINS, DOMAIN)
    with pytest.raises(XmlError, match="not a <domain>"):
        revert("<network/>", edited.reversal, DOMAIN)
