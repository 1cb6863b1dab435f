"""Secrets in a text that is shown: the value becomes ``***``, the rest stays as it is.

It works on any text that holds XML, also on a diff or a fragment, so it reads no structure but the names
beside a value. Where it is unsure it masks: a value too many costs a reader little.
"""

from __future__ import annotations

import re

MASK = "***"

_WORD = r"(?:passw(?:or)?d|passphrase|secret|token|keytab|credential|api[_-]?key|private[_-]?key)"
# Names are bounded, so that a hostile text costs no more than its length.
_NAME = rf"(?:[\w.-]{{1,60}}:)?[\w.-]{{0,60}}{_WORD}[\w.-]{{0,60}}"
_QUOTED = r"""("[^"<]*(?:"|\Z)|'[^'<]*(?:'|\Z))"""

# When a password runs out is a date, and no secret.
_ATTRIBUTE = re.compile(rf"(?<![\w.:-])((?!passwdValidTo\b){_NAME}[ \t\r\n]{{0,20}}=[ \t\r\n]{{0,20}}){_QUOTED}", re.I)
# libvirt hands out cookies and the SEV session only with the SECURE flag.
_CONTENT = re.compile(
    rf"(<(?:{_NAME}|cookie|dhCert|session)(?:[ \t\r\n][^<>]*)?(?<!/)>)(<!\[CDATA\[.*?(?:\]\]>|\Z)|[^<]+)",
    re.I | re.S,
)
_ENTRY = re.compile(r"(<entry\b[^<>]{0,400}>)([^<]+)")
_TAG = re.compile(r"""<[A-Za-z_](?:[^<>"']|"[^"]*"|'[^']*')*""")
_VALUE = re.compile(rf"(?<![\w.:-])(value[ \t\r\n]*=[ \t\r\n]*){_QUOTED}", re.I)
_ASSIGNED = re.compile(rf"({_WORD}[\w.-]{{0,60}}=)([^\s,;&\"'<>]+)", re.I)
_LOGIN = re.compile(r"(://[^\s/:@\"'<>]{0,200}:)([^\s/@\"'<>]{1,400})(?=@)")
_SECRET = re.compile(_WORD, re.I)


def mask(text: str) -> str:
    """The text with the values of secrets replaced by ``***``.

    >>> mask("<graphics type='vnc' passwd='hunter2' port='-1'/>")
    "<graphics type='vnc' passwd='***' port='-1'/>"
    """
    text = _ATTRIBUTE.sub(_mask_quoted, text)
    text = _CONTENT.sub(lambda match: match[1] + (MASK if match[2].strip() else match[2]), text)
    text = _ENTRY.sub(lambda match: match[1] + MASK if _SECRET.search(match[0]) else match[0], text)
    # What names a secret and carries a value: qemu:env, qemu:arg, properties and parameters.
    text = _TAG.sub(lambda tag: _VALUE.sub(_mask_quoted, tag[0]) if _SECRET.search(tag[0]) else tag[0], text)
    text = _ASSIGNED.sub(rf"\g<1>{MASK}", text)
    return _LOGIN.sub(rf"\g<1>{MASK}", text)


def _mask_quoted(match: re.Match[str]) -> str:
    quote = match[2][0]
    closed = quote if len(match[2]) > 1 and match[2].endswith(quote) else ""
    return f"{match[1]}{quote}{MASK}{closed}"
