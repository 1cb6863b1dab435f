"""A running guest's live XML, made from its inactive one as libvirt 9.0 prints it.

What is added, and in which order, was compared with guests that a libvirt 9.0 had started: ids, aliases,
taps, sockets, image indexes, the expanded CPU, security labels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

from tools.demo_host.guests import Guest

# What QEMU 7.2 under KVM makes of each CPU that libvirt does not pass through (domcaps/q35.xml).
_EMULATED = {
    "qemu64": (("require", "x2apic"), ("require", "hypervisor"), ("require", "lahf_lm"), ("disable", "svm")),
    "kvm64": (("require", "x2apic"), ("require", "hypervisor")),
}


def live_xml(guest: Guest, inactive: str, host_model: str) -> str:
    """The live XML; ``host_model`` is the ``<mode name='host-model'>`` element of the domain capabilities."""
    text = inactive
    for before, after in guest.differs:
        if before not in text:
            raise ValueError(f"{guest.name}: {before!r} is not in its inactive XML")
        text = text.replace(before, after)
    text = text.replace("<domain type='kvm'>", f"<domain type='kvm' id='{guest.id}'>", 1)
    text = text.replace("  <os>\n", "  <resource>\n    <partition>/machine</partition>\n  </resource>\n  <os>\n", 1)
    text = _cpu(text, host_model)
    text = re.sub(r" passwd='[^']*'", "", text)
    text = text.replace("port='-1' autoport='yes'", f"port='{guest.vnc_port}' autoport='yes'")
    text = _devices(text, guest)
    return text.replace("</domain>\n", _labels(guest) + "</domain>\n")


def _cpu(text: str, host_model: str) -> str:
    def emulated(match: re.Match[str]) -> str:
        features = "".join(f"    <feature policy='{policy}' name='{name}'/>\n" for policy, name in _EMULATED[match[1]])
        return (
            "  <cpu mode='custom' match='exact' check='full'>\n"
            f"    <model fallback='forbid'>{match[1]}</model>\n{features}  </cpu>\n"
        )

    def expanded(match: re.Match[str]) -> str:
        model, vendor = re.findall(r"<(?:model|vendor)[^>]*>([^<]*)<", host_model)
        # A guest that may migrate gets no invariant TSC.
        features = [line.strip() for line in host_model.splitlines() if "<feature" in line and "invtsc" not in line]
        return (
            "  <cpu mode='custom' match='exact' check='full'>\n"
            f"    <model fallback='forbid'>{model}</model>\n    <vendor>{vendor}</vendor>\n{match[1]}"
            + "".join(f"    {feature}\n" for feature in features)
            + "  </cpu>\n"
        )

    text = re.sub(r"  <cpu mode='custom'[^\n]*\n    <model fallback='\w+'>(\w+)</model>\n  </cpu>\n", emulated, text)
    return re.sub(r"  <cpu mode='host-model'[^\n]*\n(.*?)  </cpu>\n", expanded, text, flags=re.DOTALL)


def _devices(text: str, guest: Guest) -> str:
    # libvirt numbers the image layers from the last disk to the first.
    disks = re.findall(r"    <disk .*?</disk>\n", text, flags=re.DOTALL)
    layer = count(1)
    first_layer = {}
    for number in reversed(range(len(disks))):
        first_layer[number] = next(layer)
        if number == 0:
            for _ in guest.chain:
                next(layer)
    position = count()
    taps = iter(guest.taps)
    inputs = count()

    def disk_of(match: re.Match[str]) -> str:
        number = next(position)
        body = match[0]
        index = first_layer[number]
        if "<source " in body:
            chain = _chain(guest.chain if number == 0 else (), index + 1, "      ")
            body = re.sub(r"(      <source [^>]*)/>\n", rf"\1 index='{index}'/>\n{chain}", body)
        else:  # an empty drive has no format either
            body = body.replace("<driver name='qemu' type='raw'/>", "<driver name='qemu'/>")
        bus = re.search(r"<target dev='\w+' bus='(\w+)'", body)
        drive = re.search(r"<address type='drive' controller='(\d+)' bus='(\d+)' target='\d+' unit='(\d+)'", body)
        if bus is None:
            raise ValueError(f"{guest.name}: a disk without a bus")
        if drive is not None:
            alias = f"{bus[1]}{drive[1]}-{drive[2]}-{drive[3]}"
        else:
            alias = f"virtio-disk{number}"
        return _aliased(body, alias)

    def interface_of(match: re.Match[str]) -> str:
        tap, _, bridge, _ = next(taps)
        body = match[0].replace(
            f"      <source bridge='{bridge}'/>\n",
            f"      <source bridge='{bridge}'/>\n      <target dev='{tap}'/>\n",
        )
        return _aliased(body, f"net{guest.taps.index(next(nic for nic in guest.taps if nic[0] == tap))}")

    def terminal_of(match: re.Match[str]) -> str:
        path = f"/dev/pts/{guest.serial}"
        tty = f" tty='{path}'" if "<console" in match[0] else ""
        body = match[0].replace("type='pty'>\n", f"type='pty'{tty}>\n      <source path='{path}'/>\n", 1)
        return _aliased(body, "serial0")

    def channel_of(match: re.Match[str]) -> str:
        folder = f"/var/lib/libvirt/qemu/channel/target/domain-{guest.id}-{guest.name}"
        source = f"      <source mode='bind' path='{folder}/org.qemu.guest_agent.0'/>\n"
        body = match[0].replace("      <target type='virtio'", f"{source}      <target type='virtio'")
        return _aliased(
            body.replace("guest_agent.0'/>\n      <add", "guest_agent.0' state='connected'/>\n      <add"),
            "channel0",
        )

    rewritten: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (r"    <disk .*?</disk>\n", disk_of),
        (r"    <interface .*?</interface>\n", interface_of),
        (r"    <(serial|console) .*?</\1>\n", terminal_of),
        (r"    <channel .*?</channel>\n", channel_of),
        (r"    <controller [^\n]*/>\n|    <controller .*?</controller>\n", _controller_of),
        (
            r"    <input [^\n]*/>\n|    <input .*?</input>\n",
            lambda match: _aliased(match[0], f"input{next(inputs)}"),
        ),
        *(
            (rf"    <{name}[ >].*?</{name}>\n", _with_alias(f"{alias}0"))
            for name, alias in (
                ("sound", "sound"),
                ("video", "video"),
                ("memballoon", "balloon"),
                ("rng", "rng"),
            )
        ),
    )
    for pattern, replace in rewritten:
        text = re.sub(pattern, replace, text, flags=re.DOTALL)
    return text


def _with_alias(alias: str) -> Callable[[re.Match[str]], str]:
    return lambda match: _aliased(match[0], alias)


def _controller_of(match: re.Match[str]) -> str:
    kind = re.search(r"type='([\w-]+)' index='(\d+)'", match[0])
    model = re.search(r"model='([\w-]+)'", match[0])
    if kind is None:
        raise ValueError(f"a controller without a type: {match[0]}")
    if model is not None and model[1] == "pcie-root":
        alias = "pcie.0"
    elif kind[1] == "pci":
        alias = f"pci.{kind[2]}"
    elif kind[1] in ("ide", "sata", "usb") and kind[2] == "0":
        # The chipset's own controllers carry no number.
        alias = "usb" if kind[1] == "usb" else "ide"
    else:
        alias = f"{kind[1]}{kind[2]}"
    return _aliased(match[0], alias)


def _aliased(body: str, alias: str) -> str:
    """The element with its alias, which stands before the address and else comes last."""
    line = f"      <alias name='{alias}'/>\n"
    if body.rstrip().endswith("/>") and body.count("\n") == 1:
        name = re.search(r"<(\w+)", body)
        if name is None:
            raise ValueError(f"no element: {body}")
        return body.replace("/>\n", f">\n{line}    </{name[1]}>\n")
    before_address = re.sub(r"      <address [^\n]*/>\n(?=    </)", lambda match: line + match[0], body)
    if before_address != body:
        return before_address
    return re.sub(r"    </\w+>\n\Z", lambda match: line + match[0], body)


def _chain(files: tuple[str, ...], index: int, indent: str) -> str:
    """The layers below an image; the last says that nothing is below it."""
    if not files:
        return f"{indent}<backingStore/>\n"
    return (
        f"{indent}<backingStore type='file' index='{index}'>\n"
        f"{indent}  <format type='qcow2'/>\n"
        f"{indent}  <source file='{files[0]}'/>\n"
        f"{_chain(files[1:], index + 1, indent + '  ')}"
        f"{indent}</backingStore>\n"
    )


def _labels(guest: Guest) -> str:
    """Debian's AppArmor profile of the guest and its QEMU user, 64055."""
    labels = (("apparmor", f"libvirt-{guest.uuid}"), ("dac", "+64055:+64055"))
    return "".join(
        f"  <seclabel type='dynamic' model='{model}' relabel='yes'>\n    <label>{label}</label>\n"
        f"    <imagelabel>{label}</imagelabel>\n  </seclabel>\n"
        for model, label in labels
    )
