"""The options that many verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.core.errors import KvmnbError
from kvmnb.verbs import Here, open_machine, with_domains

if TYPE_CHECKING:
    from kvmnb.advise.intent import Intent


def add_source(parser: argparse.ArgumentParser) -> None:
    """Where facts come from."""
    group = parser.add_argument_group("where facts come from")
    group.add_argument("--uri", help="a libvirt URI (default: $LIBVIRT_DEFAULT_URI, else qemu:///system)")
    group.add_argument("--recorded", metavar="DIR|FILE.tar.zst", type=Path, help="a recorded host")
    group.add_argument("--root", metavar="DIR", type=Path, help="a bare tree that holds sys/ and proc/, no libvirt")
    group.add_argument("--demo", action="store_true", help="the demo host that ships with kvmnb")
    group.add_argument("--demo-reset", action="store_true", help="make the demo host anew")


def add_guests(parser: argparse.ArgumentParser) -> None:
    """Which guests are meant, and what for."""
    parser.add_argument(
        "--domain", metavar="NAME", action="append", default=[], help="only this guest (may be repeated)"
    )
    parser.add_argument(
        "--domain-xml",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="these guests in the place of the source's",
    )
    parser.add_argument(
        "--goal",
        help="balanced (default), throughput, latency or density; windows and security may stand beside it: "
        "latency+windows",
    )
    parser.add_argument(
        "--threshold",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="judge with this number for this time (may be repeated); `kvmnb rule ID` lists a rule's thresholds",
    )
    add_config(parser)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Which file tells what is intended."""
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="a kvmnb.toml other than the one in the config folder"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """One JSON document in the place of text."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def source_given(options: argparse.Namespace) -> bool:
    """Whether a source option was given."""
    return bool(options.uri or options.recorded or options.root or options.demo or options.demo_reset)


def here_of(options: argparse.Namespace) -> Here:
    """The machine that the options name, with the intent that they and ``kvmnb.toml`` tell."""
    machine = open_machine(
        uri=options.uri,
        recorded=options.recorded,
        root=options.root,
        demo=options.demo,
        demo_reset=options.demo_reset,
    )
    files = getattr(options, "domain_xml", [])
    if files:
        machine = with_domains(machine, files)
    return Here(machine, intent_of(options))


def intent_of(options: argparse.Namespace) -> Intent:
    """The intent that ``kvmnb.toml`` and the options tell."""
    from kvmnb.advise import registry
    from kvmnb.advise.intent_file import read_intent

    thresholds: dict[str, float] = {}
    for one in getattr(options, "threshold", []):
        name, equals, value = one.partition("=")
        if not equals:
            raise KvmnbError(f"--threshold takes NAME=VALUE, and not {one[:60]!r}")
        thresholds[name] = registry.threshold(name).parsed(value)
    return read_intent(getattr(options, "goal", None), getattr(options, "config", None), thresholds)
