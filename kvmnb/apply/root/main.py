"""kvmnb-root's one run: who asks, what is asked, the deed, the answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from kvmnb.apply.root import deeds
from kvmnb.apply.root.answer import Answer, encoded, refusal
from kvmnb.apply.root.caller import caller_uid
from kvmnb.apply.root.request import MAX_BYTES, parse
from kvmnb.core.errors import KvmnbError


def main(environment: Mapping[str, str], words: Sequence[str]) -> int:
    """Answer one request; ``words`` is the program's name and what follows it, the environment is the caller's.

    The exit code is the command line's: 0, or that of the error in the answer.
    """
    # State lies where it lies for root, and programs are found where the system has them.
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    try:
        name, *rest = words
        if name == deeds.GUARD:
            return deeds.watch_plan(rest)
        if rest == ["--check"]:
            return _said(Answer(state="ready"))
        if rest:
            raise KvmnbError("kvmnb-root takes no words; its request is one JSON document on its input")
        uid = caller_uid(environment, os.geteuid())
        return _said(deeds.answer(parse(sys.stdin.buffer.read(MAX_BYTES + 1)), uid))
    except KvmnbError as problem:
        _said(refusal(problem))
        return problem.exit_code


def _said(answer: Answer) -> int:
    sys.stdout.write(encoded(answer) + "\n")
    sys.stdout.flush()
    return 0
