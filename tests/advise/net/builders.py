"""NICs, interfaces and host settings for tests of the network's rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.ethtool import Channels, Ethtool, Feature, Rings
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Kernel
from kvmnb.facts.kernel import Sysctl as Setting
from kvmnb.facts.network import Bridge, BridgeNetfilter, Conntrack, Nic, NicCounters, Sriov
from kvmnb.facts.running import Running
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from tests.builders import a_fact, a_host

MAC = "52:54:00:00:00:01"
KEY = "52%3A54%3A00%3A00%3A00%3A01"
AT = f"domain_xml:devices/interface[{KEY}]"


def interface(
    model: str | None = "virtio",
    *,
    type: str = "bridge",
    mac: str | None = MAC,
    bridge: str = "br0",
    target: str | None = None,
    driver: str = "",
    inside: str = "",
) -> str:
    """An ``interface`` as libvirt prints it; ``driver`` are its attributes and, after ``>``, what it holds."""
    source = {
        "bridge": f"<source bridge='{bridge}'/>",
        "network": "<source network='default'/>",
        "direct": f"<source dev='{bridge}' mode='bridge'/>",
        "hostdev": "<source><address type='pci' domain='0' bus='3' slot='16' function='1'/></source>",
    }.get(type, "")
    head, _, below = driver.partition(">")
    parts = [
        f"<mac address='{mac}'/>" if mac else "",
        source,
        f"<target dev='{target}'/>" if target else "",
        f"<model type='{model}'/>" if model else "",
        f"<driver {head}>{below}</driver>" if driver else "",
        inside,
    ]
    return f"    <interface type='{type}'>{''.join(parts)}</interface>\n"


def a_nic(name: str, kind: str = "physical", *, off: Sequence[str] = (), on: Sequence[str] = (), **known: Any) -> Nic:
    """A NIC of 1500 bytes without losses; features in ``off`` are off and can be changed, those in ``on`` are on."""
    features = tuple(
        a_fact(Feature, name=word, on=state, fixed=False)
        for words, state in ((off, False), (on, True))
        for word in words
    )
    words: dict[str, Any] = {
        "mtu": 1500,
        "counters": a_fact(NicCounters, rx_missed_errors=0, rx_fifo_errors=0, tx_dropped=0),
        "ethtool": a_fact(Ethtool, features=features),
    }
    return changed(a_fact(Nic), name=name, kind=kind, **{**words, **known})


def a_bridge(name: str = "br0", *ports: str, stp: bool = False, delay: int = 0, **known: Any) -> Nic:
    """A bridge with these ports."""
    return a_nic(name, "bridge", bridge=a_fact(Bridge, stp=stp, forward_delay_cs=delay, ports=ports), **known)


def with_nics(*nics: Nic, host: Host | None = None, **known: Any) -> Host:
    """A host with these NICs."""
    return changed(host or a_host(), nics=nics, **known)


def with_settings(host: Host, files: Mapping[str, str] | None = None, /, **values: str) -> Host:
    """A host with kernel settings; ``__`` in a name is a dot; ``files`` tells which of them a file sets."""
    by = files or {}
    settings = tuple(
        a_fact(Setting, key=name.replace("__", "."), value=value, set_by=by.get(name), set_to=None)
        for name, value in values.items()
    )
    return changed(host, kernel=a_fact(Kernel, sysctls=settings))


def rings(rx: int, rx_max: int) -> Rings:
    return a_fact(Rings, rx=rx, rx_max=rx_max)


def channels(combined: int, combined_max: int) -> Channels:
    return a_fact(Channels, combined=combined, combined_max=combined_max)


def calls(iptables: bool = True, ip6tables: bool = False, arptables: bool = False) -> BridgeNetfilter:
    return a_fact(BridgeNetfilter, call_iptables=iptables, call_ip6tables=ip6tables, call_arptables=arptables)


def table(count: int, size: int, drop: int | None = 0, buckets: int | None = None) -> Conntrack:
    return a_fact(Conntrack, count=count, max=size, drop=drop, buckets=buckets)


def functions(total: int) -> Sriov:
    return a_fact(Sriov, total_vfs=total)


def a_process(vhost_net: int | Gap) -> Running:
    return a_fact(Running, pid=4711, kvm=True, vhost_net=vhost_net, resident_bytes=1, threads=())


def cpus(text: str) -> CpuSet:
    return CpuSet.parse(text)


def turned(host: Host, wants: Iterable[Want]) -> Host:
    """The host with the network's settings as they are wanted."""
    settings = {want.tunable.key: want.value for want in wants if isinstance(want.tunable, Sysctl)}
    files = {want.tunable.path: want.value for want in wants if isinstance(want.tunable, Sysfs)}
    if not host.gap_of("bridge_netfilter") and (netfilter := host.bridge_netfilter):
        on = {
            f"call_{name}": settings.get(f"net.bridge.bridge-nf-call-{name}", str(int(bool(now)))) == "1"
            for name, now in (
                ("iptables", netfilter.call_iptables),
                ("ip6tables", netfilter.call_ip6tables),
                ("arptables", netfilter.call_arptables),
            )
        }
        host = changed(host, bridge_netfilter=a_fact(BridgeNetfilter, **on))
    size = settings.get("net.netfilter.nf_conntrack_max")
    if size is not None and host.conntrack is not None:
        host = changed(host, conntrack=changed(host.conntrack, max=int(size)))
    return host if host.gap_of("nics") else changed(host, nics=tuple(_delayed(nic, files) for nic in host.nics))


def _delayed(nic: Nic, files: Mapping[str, str | None]) -> Nic:
    delay = files.get(f"class/net/{nic.name}/bridge/forward_delay")
    if delay is None or nic.bridge is None:
        return nic
    return changed(nic, bridge=changed(nic.bridge, forward_delay_cs=int(delay)))
