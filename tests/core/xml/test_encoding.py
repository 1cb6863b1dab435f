from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmnb.core.errors import XmlError
from kvmnb.core.xml import Encoding, decode, encode

LATIN = "<?xml version='1.0' encoding='ISO-8859-1'?>\r\n<a b='ü'/>\r\n".encode("latin-1")


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"<a/>\r\n", Encoding("utf-8")),
        ("<a>ü</a>".encode(), Encoding("utf-8")),
        (codecs.BOM_UTF8 + "<a>ü</a>\n".encode(), Encoding("utf-8", codecs.BOM_UTF8)),
        (LATIN, Encoding("iso8859-1")),
        (codecs.BOM_UTF16_LE + "<a>ü</a>".encode("utf-16-le"), Encoding("utf-16-le", codecs.BOM_UTF16_LE)),
        (codecs.BOM_UTF16_BE + "<a>😀</a>".encode("utf-16-be"), Encoding("utf-16-be", codecs.BOM_UTF16_BE)),
    ],
)
def test_bytes_come_back_as_they_were(raw: bytes, encoding: Encoding) -> None:
    text, found = decode(raw)
    assert (found, encode(text, found)) == (encoding, raw)


@given(st.binary(max_size=200))
def test_any_bytes_come_back_or_are_refused(raw: bytes) -> None:
    try:
        text, encoding = decode(raw)
    except XmlError:
        return
    assert encode(text, encoding) == raw


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"<a>\n\xff</a>", r"not utf-8: line 2 \(byte 4\)"),
        (b"<?xml version='1.0' encoding='nonsense'?><a/>", "nonsense, which is not known"),
        (b"<?xml version='1.0' encoding='rot13'?><a/>", "not read here"),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", "not read here"),
        (bytes(33 * 1024**2), "are not read"),
    ],
)
def test_bytes_that_do_not_fit_are_refused(raw: bytes, said: str) -> None:
    with pytest.raises(XmlError, match=said):
        decode(raw)


def test_a_character_that_the_file_cannot_hold_is_refused() -> None:
    with pytest.raises(XmlError, match="cannot hold 'ł' of line 2"):
        encode("<a>\nł</a>", decode(LATIN)[1])
