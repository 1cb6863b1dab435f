"""Edits over every domain XML of the corpora."""

from __future__ import annotations

import re
import tarfile
from functools import cache
from pathlib import Path as FilePath

import pytest
from lxml import etree

from kvmnb.core.xml import Document, Edited, Path, Shape, decode, edit, encode, holds, read, revert
from kvmnb.core.xml.reversal import Reversal
from kvmnb.machine.domain_shape import DOMAIN
from tests.archives import extract
from tests.core.xml.corpora import ROOT, domain_files, needs_corpora, tunings

pytestmark = needs_corpora

# Where the edit itself always makes sense to the schema; a topology need not agree with a file's vCPUs.
FITTING = ("pins", "numatune", "hugepages", "disk")


# Of the longest tests every fifth file in a usual run, every file in `make soak`.
shortly = pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.soak)])


def test_an_empty_change_is_byte_identical() -> None:
    for file in domain_files():
        edited = edit(file.text, [], DOMAIN)
        assert encode(edited.text, file.encoding) == file.raw, file.name
        assert edited.reversal == Reversal()


def test_taking_every_element_apart_gives_the_same_text() -> None:
    from kvmnb.core.xml.node import Node
    from kvmnb.core.xml.tree import Tree

    def walk(node: Node) -> int:
        return 1 + sum(walk(child) for child in node.children)

    for file in domain_files():
        tree = Tree(file.text, DOMAIN)
        assert walk(tree.root) == sum(1 for _ in Document.parse(file.text).root.walk())
        assert tree.finish() == file.text, file.name


def test_spans_and_values_are_those_that_lxml_sees() -> None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    for file in domain_files():
        theirs = [node for node in etree.fromstring(file.raw, parser).iter() if isinstance(node.tag, str)]
        ours = list(Document.parse(file.text).root.walk())
        assert len(ours) == len(theirs), file.name
        for element, node in zip(ours, theirs, strict=True):
            assert (element.namespace, element.name.rpartition(":")[2]) == (
                etree.QName(node).namespace,
                etree.QName(node).localname,
            )
            plain = {name: value for name, value in element.attributes.items() if ":" not in name and name != "xmlns"}
            assert plain == {name: value for name, value in node.attrib.items() if "{" not in str(name)}
            for name, spans in element.attribute_spans.items():
                assert file.text[slice(*spans.name)] == name
                assert file.text[spans.value.start - 1] == file.text[spans.value.end] == spans.quote


@shortly
def test_every_tuning_of_every_domain_is_undone_byte_for_byte(step: int) -> None:
    edits = 0
    for file in domain_files()[::step]:
        for name, changes in tunings(file.text).items():
            edited = edit(file.text, changes, DOMAIN)
            edits += 1
            assert revert(edited.text, edited.reversal, DOMAIN) == file.text, (file.name, name)
            again = edit(edited.text, changes, DOMAIN)
            assert again == Edited(edited.text, Reversal()), (file.name, name)
    assert edits > 8_900 / step


@shortly
def test_all_tunings_at_once_touch_nothing_else_and_are_undone_byte_for_byte(step: int) -> None:
    for file in domain_files()[::step]:
        changes = [change for part in tunings(file.text).values() for change in part]
        edited = edit(file.text, changes, DOMAIN)
        document = Document.parse(edited.text)
        for path, value in changes:
            assert holds(document, path, value, DOMAIN), (file.name, str(path))
        assert without_touched(file.text, edited.reversal) == without_touched(edited.text, edited.reversal), file.name
        assert revert(edited.text, edited.reversal, DOMAIN) == file.text, file.name


def test_what_the_schema_of_a_version_took_it_still_takes(tmp_path: FilePath) -> None:
    schemas = {version: schema_of(version, tmp_path / version) for version in ("9.0.0", "11.3.0")}
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    judged = dict.fromkeys(schemas, 0)
    for file in domain_files():
        before = etree.fromstring(file.raw, parser)
        taken = [version for version, schema in schemas.items() if schema.validate(before)]
        if not taken:
            continue
        changes = [change for name, part in tunings(file.text).items() if name in FITTING for change in part]
        edited = etree.fromstring(encode(edit(file.text, changes, DOMAIN).text, file.encoding), parser)
        for version in taken:
            assert schemas[version].validate(edited), (file.name, version)
            judged[version] += 1
    assert judged == {"9.0.0": 961, "11.3.0": 1136}


def test_the_lines_that_a_diff_removes_are_those_of_touched_elements() -> None:
    """A pin that is added removes no line but the tag of an element that closed itself."""
    from kvmnb.core.diff import changed_lines

    for file in domain_files():
        changes = tunings(file.text)["pins"]
        if read(Document.parse(file.text), Path.parse("cputune"), DOMAIN) is None and "\n" in file.text:
            assert changed_lines(file.text, edit(file.text, changes, DOMAIN).text) == (len(changes) + 2, 0), file.name


@cache
def schema_folder(version: str, folder: FilePath) -> FilePath:
    with tarfile.open(ROOT / "schemas" / f"libvirt-{version}.tar.xz") as archive:
        extract(archive, FilePath(folder))
    return next(folder.rglob("domain.rng"))


def schema_of(version: str, folder: FilePath) -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(str(schema_folder(version, folder))))


def without_touched(text: str, reversal: Reversal, shape: Shape = DOMAIN) -> str:
    """The text without the elements that an edit touched and the white space before them."""
    root = Document.parse(text).root
    spans = set()
    for touched in reversal.touched:
        steps = Path.parse(touched.paths[0]).steps
        # Where a parent was opened or got its first line, its own tags are touched too.
        steps = steps[:-1] if touched.close is not None or touched.tail else steps
        element = root
        for step in steps:
            found = shape.find(element, step)
            if found is None:
                break
            element = found
        else:
            start, end = element.whole
            spans.add((len(text[:start].rstrip()), end))
    for start, end in sorted(spans, reverse=True):
        outer = [other for other in spans if other != (start, end) and other[0] <= start and end <= other[1]]
        if not outer:
            text = text[:start] + text[end:]
    return text


def test_cutting_touched_elements_sees_a_change_elsewhere() -> None:
    text = "<domain>\n  <vcpu>2</vcpu>\n  <cpu mode='custom'/>\n</domain>\n"
    edited = edit(text, [(Path.parse("cpu/@mode"), "maximum")], DOMAIN)
    assert without_touched(text, edited.reversal) == without_touched(edited.text, edited.reversal)
    strayed = re.sub("<vcpu>2", "<vcpu>3", edited.text)
    assert without_touched(text, edited.reversal) != without_touched(strayed, edited.reversal)


def test_bytes_of_every_file_come_back() -> None:
    for file in domain_files():
        assert encode(*decode(file.raw)) == file.raw, file.name
