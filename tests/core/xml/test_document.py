from __future__ import annotations

import time
import tracemalloc

import pytest

from kvmnb.core.errors import XmlError
from kvmnb.core.xml import Document

NESTED = "<a>" * 100_000 + "</a>" * 100_000


def test_an_element_knows_its_spans() -> None:
    text = "<?xml version='1.0'?>\n<domain type='kvm'>\n  <vcpu  placement = \"static\">4</vcpu>\n  <pae/>\n</domain>\n"
    document = Document.parse(text)
    vcpu, pae = document.root.children
    assert text[slice(*vcpu.whole)] == vcpu.raw == '<vcpu  placement = "static">4</vcpu>'
    assert text[slice(*vcpu.start_tag)] == '<vcpu  placement = "static">'
    assert vcpu.end_tag is not None
    assert text[slice(*vcpu.end_tag)] == "</vcpu>"
    assert vcpu.content is not None
    assert text[slice(*vcpu.content)] == vcpu.text == "4"
    assert (pae.raw, pae.end_tag, pae.content) == ("<pae/>", None, None)
    place = vcpu.attribute_spans["placement"]
    assert text[slice(*place.whole)] == '  placement = "static"'
    assert (text[slice(*place.name)], text[slice(*place.value)], place.quote) == ("placement", "static", '"')
    assert [document.line_of(element) for element in document.root.walk()] == [2, 3, 4]
    assert vcpu.parent is document.root


@pytest.mark.parametrize(
    "before",
    ["<!-- Grüße, 世界, 😀 -->", "<título>ñandú</título>", "<a b='ü😀' c=\"é\"/>", "<![CDATA[ü]]>", "<?π 世?>"],
)
def test_offsets_hold_after_text_that_is_not_ascii(before: str) -> None:
    document = Document.parse(f"<domain>{before}<vcpu>ö</vcpu>{before}<last x='1'/></domain>")
    vcpu, last = (next(e for e in document.root.walk() if e.name == name) for name in ("vcpu", "last"))
    assert (vcpu.raw, last.raw) == ("<vcpu>ö</vcpu>", "<last x='1'/>")


def test_offsets_hold_in_a_document_of_megabytes() -> None:
    text = "<domain>\n" + "<é a='ü'/>\n" * 300_000 + "<last/></domain>"
    document = Document.parse(text)
    assert document.root.children[-1].raw == "<last/>"
    assert document.root.children[150_000].raw == "<é a='ü'/>"


def test_tags_in_comments_sections_and_values_are_no_elements() -> None:
    text = """<domain><!-- <vcpu>1</vcpu> --><![CDATA[<vcpu>2</vcpu>]]><?x <vcpu/>?>
    <vcpu a='>' b="/>" c='"' d="'" e='&lt;vcpu&gt;&#10;&apos;'>3</vcpu></domain>"""
    (vcpu,) = Document.parse(text).root.children
    assert vcpu.attributes == {"a": ">", "b": "/>", "c": '"', "d": "'", "e": "<vcpu>\n'"}
    assert vcpu.raw.endswith(">3</vcpu>")
    assert [vcpu.attribute_spans[name].quote for name in "abcd"] == ["'", '"', "'", '"']


def test_namespaces_are_those_in_scope() -> None:
    text = """<domain xmlns:q='urn:q'><q:a/><b xmlns='urn:x'><c/><d xmlns=''/></b><e:f/><g/></domain>"""
    found = {element.name: element.namespace for element in Document.parse(text).root.walk()}
    assert found == {
        "domain": None, "q:a": "urn:q", "b": "urn:x", "c": "urn:x", "d": None, "e:f": "", "g": None,
    }  # fmt: skip


def test_an_encoding_that_the_text_declares_is_not_taken_again() -> None:
    assert Document.parse("<?xml version='1.0' encoding='ISO-8859-1'?><a b='ü'/>").root.attributes == {"b": "ü"}
    assert Document.parse("<?xml version='1.0' encoding='UTF-16'?><a b='ü'/>").root.attributes == {"b": "ü"}


BOMB = "<!DOCTYPE a [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!DOCTYPE domain><domain/>", "document type"),
        ("<!DOCTYPE domain SYSTEM 'http://example.org/x.dtd'><domain/>", "document type"),
        ("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "document type"),
        (BOMB + "]><a>&j;</a>", "document type"),
        ("<domain>\n <vcpu></cpu></domain>", r"not well-formed: mismatched tag \(line 2, column \d+\)"),
        ("<domain>&nbsp;</domain>", "undefined entity"),
        ("<domain a='1' a='2'/>", "duplicate attribute"),
        ("<domain/><domain/>", "junk after document element"),
        ("", "no element found"),
        ("{{ name }}", "not well-formed"),
        ("<domain>\0</domain>", r"NUL character \(line 1, column 9\)"),
        ("<domain>\x01</domain>", "not well-formed"),
        ("<domain>\ud800</domain>", "surrogate"),
        (NESTED, "nested deeper than 200"),
        ("<a " + " ".join(f"a{i}='1'" for i in range(1001)) + "/>", "more than 1000 attributes"),
        ("<a>é\nü<b></a>", r"line 2, column 7"),
    ],
)
def test_what_is_no_plain_xml_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(XmlError, match=said) as caught:
        Document.parse(text)
    assert len(str(caught.value)) < 200


def test_fifty_megabytes_are_refused_before_they_are_parsed() -> None:
    text = "<domain>" + "<a/>" * 12_500_000 + "</domain>"
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(XmlError, match="50000017 characters"):
        Document.parse(text)
    took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 0.1
    assert peak < 100_000


def test_the_deepest_nesting_allowed_is_read() -> None:
    assert sum(1 for _ in Document.parse("<a>" * 200 + "</a>" * 200).root.walk()) == 200
