"""XML that would eat the machine is refused, soon and in little memory."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

ROOM_BYTES = 512 * 1024**2
SECONDS = 60

CHILD = """
    import resource, sys
    resource.setrlimit(resource.RLIMIT_AS, ({room}, {room}))
    resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
    from kvmnb.core.errors import XmlError
    from kvmnb.core.xml import Document, Path, edit
    from kvmnb.machine.domain_shape import DOMAIN
    from kvmnb.machine.judge import schema_problem
    text = {text}
    said = []
    for deed in (
        lambda: Document.parse(text),
        lambda: edit(text, [(Path.parse("vcpu/text()"), "2")], DOMAIN),
    ):
        try:
            deed()
        except XmlError as problem:
            said.append(str(problem))
    assert len(said) == 2, said
    assert schema_problem(text) is not None
    assert all(len(one) < 500 and "root:x:0" not in one for one in said), said
    print(said[0])
"""

BOMB = """'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + ''.join(
    f'<!ENTITY {chr(98 + n)} "' + f'&{chr(97 + n)};' * 10 + '">' for n in range(12)) + ']><domain>&m;</domain>'"""


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        """'<!DOCTYPE d [<!ENTITY a "' + 'a' * 100000 + '">]><domain>' + '&a;' * 100000 + '</domain>'""",
        """'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>&x;</name></domain>'""",
        """'<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd"><domain/>'""",
        """'<!DOCTYPE d [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><domain/>'""",
        """'<domain>' + '<description>x</description>' * (50 * 1024**2 // 28) + '</domain>'""",
        """'<domain><name>' + 'x' * (50 * 1024**2) + '</name></domain>'""",
        """'<domain>' + '<a>' * 200000 + '</a>' * 200000 + '</domain>'""",
        """'<domain ' + ' '.join(f'a{n}="1"' for n in range(5_000_000)) + '/>'""",
    ],
    ids=["bomb", "quadratic", "entity", "dtd", "parameter", "large", "long", "deep", "wide"],
)
def test_a_hostile_document_is_refused_in_bounded_time_and_memory(text: str) -> None:
    script = textwrap.dedent(CHILD).format(room=ROOM_BYTES, seconds=SECONDS, text=text.replace("\n", " "))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-1500:]
    assert done.stdout.strip()
