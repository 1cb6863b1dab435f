"""QEMU's command line as options: of one argument's JSON, or of ``word,key=value,...``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

Option = Mapping[str, Any]


def options(arguments: Iterable[str], name: str) -> Iterator[Option]:
    """What stands after each ``name``, as keys and values; a first word without a key is ``driver``.

    >>> list(options(["-device", "virtio-blk-pci,id=virtio-disk0,num-queues=4"], "-device"))
    [{'driver': 'virtio-blk-pci', 'id': 'virtio-disk0', 'num-queues': '4'}]
    >>> list(options(["-device", '{"driver":"virtio-blk-pci","num-queues":4}'], "-device"))
    [{'driver': 'virtio-blk-pci', 'num-queues': 4}]
    """
    for word, value in pairwise(list(arguments)):
        if word == name:
            yield _parsed(value)


def _parsed(text: str) -> Option:
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}
    # A comma inside a value is doubled.
    parts = [part.replace("\0", ",") for part in text.replace(",,", "\0").split(",")]
    parsed: dict[str, str] = {}
    for number, part in enumerate(parts):
        key, equals, value = part.partition("=")
        if equals and re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", key):
            parsed[key] = value
        elif number == 0:
            parsed["driver"] = part
    return parsed
