"""Live calls through a libvirt connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from kvmnb.core.errors import NotAnswered
from kvmnb.core.xml import Document, Path, read
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.machine.live import Call, Setting

T = TypeVar("T")


class OnDomain(Protocol):
    """Makes a call on a domain, and words its failure."""

    def __call__(self, uuid: str, doing: str, call: Callable[[Any], T]) -> T: ...


class ConnectionLive:
    """The live calls of one connection; ``on_domain`` is the connection's own way to a domain."""

    def __init__(self, libvirt: Any, connect: Callable[[], Any], on_domain: OnDomain) -> None:
        self._libvirt = libvirt
        self._connect = connect
        self._on_domain = on_domain
        self._live: int = libvirt.VIR_DOMAIN_AFFECT_LIVE

    def setting(self, uuid: str, setting: Setting) -> str:
        found = self._on_domain(
            uuid, f"reading its live {setting.path}", lambda domain: self._values(domain, setting).get(setting.name)
        )
        if found is None:
            raise NotAnswered(f"libvirt tells no {setting.name} of domain {uuid} ({setting.call.value})")
        return str(found)

    def set_setting(self, uuid: str, setting: Setting, value: str) -> None:
        self._on_domain(
            uuid, f"setting its live {setting.path} to {value}", lambda domain: self._set(domain, setting, value)
        )

    def iothreads(self, uuid: str) -> Mapping[int, Mapping[str, int]]:
        def ask(domain: Any) -> dict[int, dict[str, int]]:
            found: dict[int, dict[str, int]] = {number: {} for number, _ in domain.ioThreadInfo(self._live)}
            stats = self._connect().domainListGetStats([domain], self._libvirt.VIR_DOMAIN_STATS_IOTHREAD)
            for key, value in stats[0][1].items() if stats else ():
                # iothread.<number>.poll-max-ns
                parts = key.split(".")
                if len(parts) == 3 and parts[1].isdecimal() and int(parts[1]) in found:
                    found[int(parts[1])][parts[2].replace("-", "_")] = value
            return found

        return self._on_domain(uuid, "reading its iothreads", ask)

    def add_iothread(self, uuid: str, number: int) -> None:
        self._on_domain(uuid, f"adding iothread {number}", lambda domain: domain.addIOThread(number, self._live))

    def remove_iothread(self, uuid: str, number: int) -> None:
        self._on_domain(uuid, f"removing iothread {number}", lambda domain: domain.delIOThread(number, self._live))

    def set_iothread(self, uuid: str, number: int, name: str, value: int) -> None:
        self._on_domain(
            uuid,
            f"setting {name} of iothread {number} to {value}",
            lambda domain: domain.setIOThreadParams(number, {name: value}, self._live),
        )

    def update_device(self, uuid: str, path: str, xml: str) -> None:
        self._on_domain(uuid, f"updating its {path}", lambda domain: domain.updateDeviceFlags(xml, self._live))

    def _values(self, domain: Any, setting: Setting) -> Mapping[str, object]:
        match setting.call:
            case Call.VCPUS:
                return {setting.name: domain.vcpusFlags(self._live)}
            case Call.MEMORY:
                return {setting.name: domain.info()[2]}
            case Call.STATS_PERIOD:
                # libvirt has a call to set the period and none to read it.
                document = Document.parse(domain.XMLDesc(0))
                return {setting.name: read(document, Path.parse(setting.path), DOMAIN) or setting.absent}
            case Call.SCHEDULER:
                found = domain.schedulerParametersFlags(self._live)
            case Call.LIMITS:
                found = domain.memoryParameters(self._live)
            case Call.NUMA:
                found = domain.numaParameters(self._live)
            case Call.BLOCK:
                found = domain.blkioParameters(self._live)
            case Call.DISK:
                found = domain.blockIoTune(setting.device, self._live)
            case Call.INTERFACE:
                found = domain.interfaceParameters(setting.device, self._live)
        values: Mapping[str, object] = found
        return values

    def _set(self, domain: Any, setting: Setting, value: str) -> None:
        parameters = {setting.name: value if setting.call is Call.NUMA else int(value)}
        match setting.call:
            case Call.VCPUS:
                domain.setVcpusFlags(int(value), self._live)
            case Call.MEMORY:
                domain.setMemoryFlags(int(value), self._live)
            case Call.STATS_PERIOD:
                domain.setMemoryStatsPeriod(int(value), self._live)
            case Call.SCHEDULER:
                domain.setSchedulerParametersFlags(parameters, self._live)
            case Call.LIMITS:
                domain.setMemoryParameters(parameters, self._live)
            case Call.NUMA:
                domain.setNumaParameters(parameters, self._live)
            case Call.BLOCK:
                domain.setBlkioParameters(parameters, self._live)
            case Call.DISK:
                domain.setBlockIoTune(setting.device, parameters, self._live)
            case Call.INTERFACE:
                # libvirt replaces a direction as a whole: what is not sent along would be lost.
                direction = setting.name.partition(".")[0] + "."
                present = domain.interfaceParameters(setting.device, self._live)
                kept = {name: number for name, number in present.items() if name.startswith(direction)}
                domain.setInterfaceParameters(setting.device, kept | parameters, self._live)
