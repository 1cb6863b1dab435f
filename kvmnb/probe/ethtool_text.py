"""The texts that the ``ethtool`` program prints, read into the form of ``ethtool_answers``.

A text that is an error message, is cut off or holds no value reads as an error, never as "off" or 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kvmnb.facts.ethtool import OFFLOADS

_STATE = re.compile(r"(on|off)(?: \[(?:fixed|requested on|requested off)\])?")
# The long words that are one feature; the others only sum up the lines below them.
_SINGLE = {word: patterns[0] for word, patterns in OFFLOADS.items() if len(patterns) == 1 and "*" not in patterns[0]}
_SUMS = OFFLOADS.keys() - _SINGLE.keys()


def parse_driver(text: str) -> dict[str, str]:
    """The answer of ``ethtool -i``.

    >>> parse_driver("driver: virtio_net\\nfirmware-version:\\nbus-info: 0000:00:03.0")["bus"]
    '0000:00:03.0'
    """
    lines = dict(_lines(text))
    if not lines.get("driver"):
        raise _no_answer(text)
    names = {"driver": "driver", "version": "version", "firmware": "firmware-version", "bus": "bus-info"}
    return {name: lines.get(label, "") for name, label in names.items()}


def parse_features(text: str) -> dict[str, str]:
    """The answer of ``ethtool -k``, by the kernel's names.

    >>> parse_features("Features for eth0:\\ngeneric-receive-offload: on\\nlarge-receive-offload: off [fixed]")
    {'rx-gro': 'on', 'rx-lro': 'off [fixed]'}
    """
    found: dict[str, str] = {}
    sums: dict[str, str] = {}
    for label, value in _lines(_titled(text, "Features for", "Offload parameters for")):
        if not value or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", label):
            continue
        if not _STATE.fullmatch(value):
            raise ValueError(f"{label} is {value[:40]!r}, neither on nor off")
        if label in _SUMS:
            sums[label] = value
        else:
            found[_SINGLE.get(label, label)] = value
    if not found and not sums:
        raise _no_answer(text)
    # ethtool before 3.3 prints only the sums.
    members = {
        "tx-checksumming": "tx-checksum-",
        "scatter-gather": "tx-scatter-gather",
        "tcp-segmentation-offload": "tx-tcp",
    }
    for label, state in sums.items():
        if not any(name.startswith(members[label]) for name in found):
            found[label] = state
    return found


def parse_rings(text: str) -> dict[str, int]:
    """The answer of ``ethtool -g``.

    >>> parse_rings("Ring parameters for a:\\nPre-set maximums:\\nRX: 2047\\nCurrent hardware settings:\\nRX: 200")
    {'rx': 200, 'rx_max': 2047}
    """
    most, now = _two_blocks(_titled(text, "Ring parameters for"))
    found = {"rx": now.get("RX"), "rx_max": most.get("RX"), "tx": now.get("TX"), "tx_max": most.get("TX")}
    return _known(found, text)


def parse_channels(text: str) -> dict[str, int]:
    """The answer of ``ethtool -l``; ``n/a`` is a kind of channel that the driver has not, so 0.

    >>> parse_channels("Channel parameters for a:\\nPre-set maximums:\\nTX: n/a\\nCurrent hardware settings:\\nTX: n/a")
    {'tx': 0, 'tx_max': 0}
    """
    most, now = _two_blocks(_titled(text, "Channel parameters for"))
    found: dict[str, int | None] = {}
    for label in ("RX", "TX", "Other", "Combined"):
        if label in now and label in most:
            found[label.lower()] = 0 if now[label] is None else now[label]
            found[f"{label.lower()}_max"] = 0 if most[label] is None else most[label]
    return _known(found, text)


def parse_coalesce(text: str) -> dict[str, Any]:
    """The answer of ``ethtool -c``; ``n/a`` is a setting that the driver has not, so None.

    >>> parse_coalesce("Coalesce parameters for a:\\nAdaptive RX: on  TX: n/a\\nrx-usecs: 3\\nrx-frames: n/a")
    {'adaptive_rx': True, 'adaptive_tx': None, 'rx_usecs': 3, 'rx_frames': None}
    """
    found: dict[str, Any] = {}
    for label, value in _lines(_titled(text, "Coalesce parameters for")):
        if label == "Adaptive RX":
            match = re.fullmatch(r"(on|off|n/a)\s+TX:\s*(on|off|n/a)", value)
            states = {"adaptive_rx": match[1], "adaptive_tx": match[2]} if match else {}
            found.update({name: None if state == "n/a" else state == "on" for name, state in states.items()})
        elif re.fullmatch(r"[rt]x-(?:usecs|frames)", label) and re.fullmatch(r"\d{1,10}|n/a", value):
            found[label.replace("-", "_")] = None if value == "n/a" else int(value)
    if not found:
        raise _no_answer(text)
    return found


PARSERS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "i": ("driver", parse_driver),
    "g": ("rings", parse_rings),
    "l": ("channels", parse_channels),
    "c": ("coalesce", parse_coalesce),
    "k": ("features", parse_features),
}


def _lines(text: str) -> list[tuple[str, str]]:
    return [
        (label.strip(), value.strip())
        for label, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    ]


def _titled(text: str, *titles: str) -> str:
    """What follows the line with one of the titles, before which the program prints its errors."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.strip().startswith(titles):
            return "\n".join(lines[number + 1 :])
    raise _no_answer(text)


def _two_blocks(text: str) -> tuple[dict[str, int | None], dict[str, int | None]]:
    """The numbers of "Pre-set maximums" and "Current hardware settings"; None where the value is ``n/a``."""
    blocks: dict[str, dict[str, int | None]] = {}
    block: dict[str, int | None] = {}
    for label, value in _lines(text):
        if not value:
            block = blocks.setdefault(label, {})
        elif value.isdecimal() and len(value) <= 10:
            block[label] = int(value)
        elif value == "n/a":
            block[label] = None
    return blocks.get("Pre-set maximums", {}), blocks.get("Current hardware settings", {})


def _known(found: dict[str, Any], text: str) -> dict[str, Any]:
    known = {name: value for name, value in found.items() if value is not None}
    if not known:
        raise _no_answer(text)
    return known


def _no_answer(text: str) -> ValueError:
    said = next((line.strip() for line in text.splitlines() if line.strip()), "nothing")
    return ValueError(f"ethtool said {said[:60]!r}")
