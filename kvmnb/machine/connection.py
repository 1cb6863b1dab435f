"""A libvirt connection as a Hypervisor.

The only module that imports libvirt-python, and only when a connection is opened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import DomainGone, KvmnbError, NotAnswered, Refused, SourceError
from kvmnb.machine.agent import Agents
from kvmnb.machine.connection_live import ConnectionLive
from kvmnb.machine.domain_states import DomainStates
from kvmnb.machine.hypervisor import DomainRecord, DomainState, Ended, Layer, Pins, Thread, Versions

T = TypeVar("T")

_DRIVERS = ("qemu", "test", "xen", "lxc", "ch", "vz", "bhyve", "esx", "vpx", "gsx", "hyperv", "vbox", "openvz")

# A daemon with a hundred guests is back within seconds; systemd gives a start 90 s before it gives up.
RESTART_SECONDS = 30.0

INSTALL_BINDINGS = (
    "libvirt-python is not installed; it builds against libvirt's headers: "
    "`apt install libvirt-dev pkg-config gcc python3-dev` (Fedora/RHEL: `dnf install libvirt-devel gcc "
    "python3-devel`), then `pip install libvirt-python`"
)


def import_libvirt() -> Any:
    """The libvirt module, quiet on stderr; SourceError that says how to get it where it is absent."""
    try:
        import libvirt
    except ImportError as problem:
        raise SourceError(INSTALL_BINDINGS) from problem
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    return libvirt


class Connection:
    """One open connection to a libvirt driver."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._libvirt = import_libvirt()
        self._opened: Any = self._open()

    @property
    def _connect(self) -> Any:
        """The connection, opened anew where it was let go of: a form may be used after its notebook's last cell.

        Also where the daemon went away: it is given time to come back, so that a plan that it stopped is taken back.
        """
        if self._opened is not None and not self._alive():
            self.close()
            self._opened = self._open_again()
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _alive(self) -> bool:
        try:
            return bool(self._opened.isAlive())
        except self._libvirt.libvirtError:
            # A driver inside this process cannot tell, and cannot go away either.
            return True

    def _open_again(self) -> Any:
        until = time.monotonic() + RESTART_SECONDS
        while True:
            try:
                return self._open()
            except SourceError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _open(self) -> Any:
        try:
            return self._libvirt.open(self.uri)
        except self._libvirt.libvirtError as problem:
            raise SourceError(_why_refused(self.uri, problem, self._libvirt)) from problem

    def versions(self) -> Versions:
        driver: str = self._ask("asking libvirt for its driver", self._connect.getType)
        libvirt_version = self._ask("asking libvirt for its version", self._connect.getLibVersion)
        try:
            hypervisor: str | None = _dotted(self._connect.getVersion())
        except self._libvirt.libvirtError:
            hypervisor = None
        return Versions(libvirt=_dotted(libvirt_version), hypervisor=hypervisor, driver=driver)

    def capabilities(self) -> str:
        text: str = self._ask("asking libvirt for the host's capabilities", self._connect.getCapabilities)
        return text

    def domain_capabilities(self, virt_type: str, arch: str, machine: str, emulator: str | None) -> str:
        text: str = self._ask(
            f"asking libvirt what a {virt_type} guest of machine type {machine} may have",
            lambda: self._connect.getDomainCapabilities(emulator, arch, machine, virt_type, 0),
        )
        return text

    def domains(self) -> tuple[DomainRecord, ...]:
        flag = self._libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT
        listed = self._ask("listing the domains", self._connect.listAllDomains)
        kept = self._ask("listing the persistent domains", lambda: self._connect.listAllDomains(flag))
        persistent = {domain.UUID() for domain in kept}
        records = []
        for domain in listed:
            # The number came with the listing: -1 for a domain that is shut off, and only a persistent one can be.
            running = domain.ID() >= 0
            records.append(
                DomainRecord(
                    uuid=domain.UUIDString(),
                    name=domain.name(),
                    running=running,
                    persistent=domain.UUID() in persistent or not running,
                )
            )
        return tuple(sorted(records, key=lambda record: record.name))

    def states(self) -> Mapping[str, DomainState]:
        return DomainStates(self._libvirt, self._connect).read(self._ask)

    def guest_system(self, uuid: str, seconds: float) -> Mapping[str, object]:
        return self._agents.ask(uuid, seconds)

    def run_inside(self, uuid: str, program: str, arguments: tuple[str, ...], seconds: float) -> Ended:
        return self._agents.run(uuid, program, arguments, seconds)

    def disk_counters(self) -> Mapping[tuple[str, str], tuple[float, ...]]:
        told = self._counted("counting the requests of disks", self._libvirt.VIR_DOMAIN_STATS_BLOCK)
        found: dict[tuple[str, str], tuple[float, ...]] = {}
        for domain, stats in told:
            for number in range(int(stats.get("block.count", 0))):
                words = [stats.get(f"block.{number}.{one}") for one in ("rd.reqs", "rd.bytes", "wr.reqs", "wr.bytes")]
                target = stats.get(f"block.{number}.name")
                if None not in words:
                    found[domain.UUIDString(), str(target)] = tuple(float(one) for one in words if one is not None)
        return found

    def guest_counters(self) -> Mapping[str, Mapping[str, float]]:
        groups = self._libvirt.VIR_DOMAIN_STATS_CPU_TOTAL | self._libvirt.VIR_DOMAIN_STATS_BALLOON
        told = self._counted("counting the CPU time and the memory of guests", groups)
        return {
            domain.UUIDString(): {
                name: float(value) for name, value in stats.items() if isinstance(value, int) and value >= 0
            }
            for domain, stats in told
        }

    def _counted(self, doing: str, groups: int) -> list[tuple[Any, dict[str, Any]]]:
        """libvirt's bulk call over all running guests."""
        libvirt = self._libvirt
        # Without NOWAIT a guest whose monitor is busy would hold up all of them.
        flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        found: list[tuple[Any, dict[str, Any]]] = self._ask(
            doing, lambda: self._connect.getAllDomainStats(groups, flags)
        )
        return found

    def xml(self, uuid: str, layer: Layer) -> str:
        flags = self._libvirt.VIR_DOMAIN_XML_INACTIVE if layer is Layer.PERSISTENT else 0
        # Without SECURE a later define would drop the passwords that this text does not hold.
        flags |= self._libvirt.VIR_DOMAIN_XML_SECURE

        def read(domain: Any) -> str:
            # Of a domain that is shut off libvirt gives the stored XML whatever it is asked for.
            if layer is Layer.LIVE and not domain.isActive():
                raise NotAnswered(f"domain {domain.name()!r} does not run, so it has no live configuration")
            text: str = domain.XMLDesc(flags)
            return text

        return self._on_domain(uuid, f"reading its {layer.value} XML", read)

    def native(self, xml: str) -> str:
        doing = "building the command line"
        try:
            return str(self._connect.domainXMLToNative("qemu-argv", xml, 0))
        except self._libvirt.libvirtError as problem:
            # An answer about this XML: neither a define nor a start would take it.
            if problem.get_error_code() == self._libvirt.VIR_ERR_CONFIG_UNSUPPORTED:
                raise KvmnbError(self._said(doing, problem)) from problem
            raise self._error(doing, problem) from problem

    def define(self, uuid: str, xml: str) -> None:
        # A define would make a transient guest a lasting one.
        if not self._on_domain(uuid, "looking it up before the define", lambda domain: domain.isPersistent()):
            raise Refused(f"domain {uuid} is transient: nothing of it is stored, so nothing is defined")
        validate = self._libvirt.VIR_DOMAIN_DEFINE_VALIDATE
        self._ask("defining the edited XML", lambda: self._connect.defineXMLFlags(xml, validate))

    def pins(self, uuid: str) -> Pins:
        live = self._libvirt.VIR_DOMAIN_AFFECT_LIVE

        def read(domain: Any) -> Pins:
            vcpus = domain.vcpuPinInfo(live)
            iothreads = domain.ioThreadInfo(live) if hasattr(domain, "ioThreadInfo") else []
            return Pins(
                vcpus={number: _to_set(cpus) for number, cpus in enumerate(vcpus)},
                emulator=_to_set(domain.emulatorPinInfo(live)),
                iothreads={number: _to_set(cpus) for number, cpus in iothreads},
            )

        return self._on_domain(uuid, "reading its live pins", read)

    def pin(self, uuid: str, thread: Thread, number: int, cpus: CpuSet) -> None:
        live = self._libvirt.VIR_DOMAIN_AFFECT_LIVE
        cpu_map = tuple(cpu in cpus for cpu in range(max(self._cpu_count, max(cpus, default=0) + 1)))
        calls: dict[Thread, Callable[[Any], int]] = {
            Thread.VCPU: lambda domain: domain.pinVcpuFlags(number, cpu_map, live),
            Thread.EMULATOR: lambda domain: domain.pinEmulator(cpu_map, live),
            Thread.IOTHREAD: lambda domain: domain.pinIOThread(number, cpu_map, live),
        }
        self._on_domain(uuid, f"pinning its {thread.value} {number} to CPUs {cpus}", calls[thread])

    @cached_property
    def live(self) -> ConnectionLive:
        """The live calls of this connection."""
        return ConnectionLive(self._libvirt, lambda: self._connect, self._on_domain)

    def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is None:
            return
        try:
            opened.close()
        except self._libvirt.libvirtError:
            # The daemon may be gone already; there is nothing left to let go of.
            return

    @cached_property
    def _agents(self) -> Agents:
        return Agents(self._libvirt, self.uri)

    @cached_property
    def _cpu_count(self) -> int:
        present: int = self._ask("asking libvirt for the host's CPUs", lambda: self._connect.getCPUMap()[0])
        return present

    def _ask(self, doing: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except self._libvirt.libvirtError as problem:
            raise self._error(doing, problem) from problem

    def _on_domain(self, uuid: str, doing: str, call: Callable[[Any], T]) -> T:
        try:
            domain = self._connect.lookupByUUIDString(uuid)
        except self._libvirt.libvirtError as problem:
            if problem.get_error_code() == self._libvirt.VIR_ERR_NO_DOMAIN:
                raise DomainGone(f"{doing}: no domain with UUID {uuid} is known to {self.uri} any more") from problem
            raise self._error(doing, problem) from problem
        return self._ask(f"domain {domain.name()!r}: {doing}", lambda: call(domain))

    def _error(self, doing: str, problem: Any) -> KvmnbError:
        code = problem.get_error_code()
        text = self._said(doing, problem)
        if code == self._libvirt.VIR_ERR_NO_DOMAIN:
            return DomainGone(text)
        # OPERATION_INVALID: a live call on a guest that does not run any more.
        if code in (
            self._libvirt.VIR_ERR_NO_SUPPORT,
            self._libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
            self._libvirt.VIR_ERR_OPERATION_INVALID,
        ):
            return NotAnswered(text)
        return KvmnbError(text)

    def _said(self, doing: str, problem: Any) -> str:
        return f"{doing} at {self.uri}: {problem.get_error_message() or problem}"


def _why_refused(uri: str, problem: Any, libvirt: Any) -> str:
    """One sentence for a connection that could not be opened, with what to do next."""
    said = (problem.get_error_message() or str(problem)).rstrip(".")
    if (
        problem.get_error_code() in (libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_ACCESS_DENIED)
        or "ermission denied" in said
    ):
        advice = "add your user to the group libvirt (`usermod -aG libvirt USER`, then log in anew) or run as root"
    elif uri.partition(":")[0].partition("+")[0] not in _DRIVERS:
        # libvirt takes any word for a driver of the daemon's, and then misses the daemon.
        advice = "check the spelling of the URI, such as qemu:///system, qemu+ssh://HOST/system or test:///default"
    elif "No such file" in said or "refused" in said:
        advice = (
            "start the daemon (`systemctl start virtqemud.socket` or `systemctl start libvirtd`), "
            "or look at the demo host with --demo"
        )
    else:
        advice = "check that the host and its libvirt daemon answer"
    return f"cannot connect to {uri}: {said}; {advice}"


def _dotted(number: int) -> str:
    """libvirt's version number (major * 1,000,000 + minor * 1,000 + release) as text."""
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def _to_set(cpu_map: tuple[bool, ...]) -> CpuSet:
    return CpuSet(number for number, allowed in enumerate(cpu_map) if allowed)
