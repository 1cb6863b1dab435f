"""A NIC's rings, channels, coalescing, offloads and MTU, in force until the next boot or the link's next set-up.

None has a lasting form here: what sets the link up (NetworkManager, systemd-networkd, netplan, ifupdown) keeps
them, and would write over another's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, Refused, WriteFailed
from kvmnb.machine.machine import Machine
from kvmnb.tunable.running_host import RunningHost
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.target import HOST, only_host
from kvmnb.tunable.tunable import State, Verdict, compared

_PATH = re.compile(
    r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,14})/(?:(mtu)|(rings|channels|coalesce|features)/([a-z0-9_-]{1,40}))"
)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,5}")
_SWITCH = re.compile(r"on|off")
_KEYS = {
    "rings": ("rx", "tx"),
    "channels": ("rx", "tx", "combined"),
    "coalesce": ("rx_usecs", "rx_frames", "tx_usecs", "tx_frames", "adaptive_rx", "adaptive_tx"),
    "features": (
        "rx-checksum",
        "rx-gro",
        "rx-gro-hw",
        "rx-gro-list",
        "rx-hashing",
        "rx-lro",
        "rx-udp-gro-forwarding",
        "rx-udp_tunnel-port-offload",
        "tx-checksum-ip-generic",
        "tx-checksum-ipv4",
        "tx-checksum-ipv6",
        "tx-checksum-sctp",
        "tx-generic-segmentation",
        "tx-nocache-copy",
        "tx-scatter-gather",
        "tx-tcp-ecn-segmentation",
        "tx-tcp-mangleid-segmentation",
        "tx-tcp-segmentation",
        "tx-tcp6-segmentation",
        "tx-udp-segmentation",
        "tx-udp_tnl-csum-segmentation",
        "tx-udp_tnl-segmentation",
    ),
}
_LETTERS = {"rings": "G", "channels": "L", "coalesce": "C", "features": "K"}


@dataclass(frozen=True, slots=True)
class Ethtool(RunningHost):
    """One setting: ``eth0/mtu``, ``eth0/rings/rx``, ``eth0/features/rx-gro``; a switch is ``on`` or ``off``."""

    kind: ClassVar[str] = "ethtool"

    path: str

    def __post_init__(self) -> None:
        match = _PATH.fullmatch(self.path)
        if match is None or (match[3] and match[4] not in _KEYS[match[3]]):
            raise Refused(f"{self.path[:80]!r} is not a NIC's setting that kvmnb turns")

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> Ethtool:
        only_host(target, cls.kind)
        return cls(path)

    def check(self, value: str | None) -> None:
        form = _SWITCH if self._switch else _NUMBER
        if value is None or not form.fullmatch(value):
            raise Refused(f"{self.path} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        """The present value; None where the NIC is not there, or has no such setting."""
        name, part, key = self._parts
        try:
            if part == "mtu":
                return machine.tree.read(f"sys/class/net/{name}/mtu")
            found = _answers(machine, name).get(part)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as problem:
            raise KvmnbError(f"reading {self.path} of {machine.title}: {problem}") from problem
        if not isinstance(found, Mapping) or key not in found:
            return None
        value = found[key]
        if isinstance(value, bool):
            return "on" if value else "off"
        return str(value).partition(" ")[0]

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        name, part, key = self._parts
        number = int(value == "on") if self._switch else int(str(value))
        try:
            machine.tree.set_nic(name, part, key, number)
        except PermissionError as problem:
            raise WriteFailed(f"setting {self.path} needs root; run by hand: {self.command(value)}") from problem
        except OSError as problem:
            word = problem.strerror or str(problem)
            raise WriteFailed(f"setting {self.path} to {value}: the kernel refused it ({word})") from problem

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        found = self.read(machine)
        if found is None:
            return Verdict(State.NOT_APPLICABLE, None, value, "the NIC is not there, or has no such setting")
        return compared(found, value, "read from the kernel as ethtool reads it")

    def command(self, value: str | None) -> str:
        name, part, key = self._parts
        if part == "mtu":
            return f"sudo ip link set dev {shell_word(name)} mtu {value}"
        word = key.replace("_", "-") if part == "coalesce" else key
        return f"sudo ethtool -{_LETTERS[part]} {shell_word(name)} {word} {value}"

    @property
    def _parts(self) -> tuple[str, str, str]:
        name, part, key = [*self.path.split("/"), ""][:3]
        return name, part, key

    @property
    def _switch(self) -> bool:
        return "/features/" in self.path or "/adaptive_" in self.path

    def __str__(self) -> str:
        return f"{self.kind}:{HOST}:{self.path}"


def _answers(machine: Machine, name: str) -> Mapping[str, Any]:
    answers = machine.tree.ethtool([name])
    if answers is None:
        return codec.from_json(machine.tree.read(f"ethtool/{name}.json"), dict[str, Any], "the ethtool answers")
    found = answers.get(name, {})
    return {} if "error" in found else found
