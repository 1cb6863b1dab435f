from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmnb.core.errors import XmlError
from kvmnb.core.xml import Path, Step

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}(:[A-Za-z_][A-Za-z0-9_.-]{0,8})?", fullmatch=True)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
STEPS = st.builds(Step, NAMES, st.lists(KEYS, max_size=2).map(tuple))
WAYS = st.lists(STEPS, min_size=1, max_size=4).map(tuple)
ATTRIBUTES = NAMES.filter(lambda name: name.split(":")[0] != "xmlns")
PATHS = st.one_of(
    st.builds(Path, WAYS),
    st.builds(Path, st.one_of(st.just(()), WAYS), attribute=ATTRIBUTES),
    st.builds(Path, WAYS, text=st.just(True)),
)


@given(PATHS)
def test_printing_and_parsing_are_inverse(path: Path) -> None:
    assert Path.parse(str(path)) == path
    assert re.fullmatch(r"[\x21-\x7e]+", str(path))


@given(st.text("ab/[]@%.():41\n", max_size=12))
def test_a_text_is_its_path_or_is_refused(text: str) -> None:
    try:
        path = Path.parse(text)
    except XmlError:
        return
    assert str(path) == text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("devices/disk[vda]/driver/@cache", Path((Step("devices"), Step("disk", ("vda",)), Step("driver")), "cache")),
        ("devices/controller[scsi][0]", Path((Step("devices"), Step("controller", ("scsi", "0"))))),
        ("vcpu/text()", Path((Step("vcpu"),), text=True)),
        ("@type", Path((), "type")),
        ("interface[52%3A54%3A00]", Path((Step("interface", ("52:54:00",)),))),
        ("qemu:commandline", Path((Step("qemu:commandline"),))),
    ],
)
def test_a_path_is_read_as_written(text: str, path: Path) -> None:
    assert Path.parse(text) == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("/vcpu", "''"),
        ("vcpu/", "''"),
        ("vcpu//@x", "''"),
        ("@a/b", "'@a'"),
        ("text()", "names at least one element"),
        ("disk[]", "is empty"),
        ("disk[vda", r"disk\[vda"),
        ("disk[%41]", r"is written 'disk\[A\]'"),
        ("disk[%c3%bc]", r"is written 'disk\[%C3%BC\]'"),
        ("disk[%ff]", "percent-encoded UTF-8"),
        ("disk[a b]", "is written"),
        ("a/@xmlns:q", "namespace declaration"),
        ("a/@b c", "no attribute's name"),
        ("../x", r"'\.\.'"),
        ("disk[1]x", r"'disk\[1\]x'"),
    ],
)
def test_a_bad_path_is_refused_with_its_fault(text: str, said: str) -> None:
    with pytest.raises(XmlError, match=said):
        Path.parse(text)
