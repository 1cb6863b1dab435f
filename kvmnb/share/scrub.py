"""Texts, names and paths with everything replaced that could tell of somebody."""

from __future__ import annotations

import re

from kvmnb.share.pseudonyms import IPV4, IPV6, MAC, UUID, Pseudonyms, is_ipv4, is_ipv6
from kvmnb.share.vocabulary import DEVICE, PLACE, all_known, known, tokens

_IDENTIFIER = re.compile(
    rf"(?P<uuid>{UUID.pattern[4:]})|(?P<mac>{MAC.pattern[4:]})|(?P<ipv4>{IPV4.pattern})"
    rf"|(?P<pci>(?<![\w:.])[0-9a-f]{{4,8}}:[0-9a-f]{{2}}:[0-9a-f]{{2}}\.[0-7](?![\w.]))|(?P<ipv6>{IPV6.pattern[4:]})",
    re.IGNORECASE,
)
# Endings of file names that programs give, or look for.
_ENDING = re.compile(
    r"(?i)(?:\.(?:qcow2?|img|raw|iso|vmdk|vdi|vhdx?|qed|luks|fd|bin|sock|socket|conf|xml|json|log|pid|snap"
    r"|rules|service|txt))+\Z"
)
_FOLDERS_TEXT = """
    bin boot by-id by-label by-path by-uuid by-partuuid by-partlabel cache cdrom containers dev disk domain edk2
    efi etc export firmware home host hugepages iscsi kvm lib lib64 libexec libvirt local log lxc lxd machine
    mapper media mnt modules net nfs nvram opt overlay ovmf OVMF aavmf AAVMF proc pts qemu qemu-efi-aarch64 root
    run sbin seabios share shm snap srv storage swtpm swap swapfile swap.img sys sysroot tmp udev user usr var
    vhost-net vfio vms volumes www ram save snapshot channel target images kernel debug tracing security cgroup
    bpf pstore mqueue hugepages1G fuse connections config systemd credentials lock initctl efivars binfmt_misc
    fs ptmx machine.slice console null zero full random urandom tty
"""
_FOLDERS = frozenset(_FOLDERS_TEXT.split())
_PROGRAM = re.compile(
    r"qemu-(?:system-[a-z0-9_]{1,16}|kvm|img|io|nbd|storage-daemon|bridge-helper)|kvm|virtiofsd|swtpm|vhost-user-\w{2,6}"
    r"|OVMF(?:_(?:CODE|VARS)(?:_4M)?(?:\.(?:ms|secboot|snakeoil))?)?\.fd|AAVMF_(?:CODE|VARS)\.(?:ms\.)?fd|bios(?:-256k)?\.bin"
    r"|edk2-[a-z0-9_-]{3,30}\.fd|QEMU_EFI(?:-silent)?(?:-pflash)?\.(?:fd|raw)|efi-[a-z0-9]{1,12}\.rom|(?:vmlinuz|initrd\.img|initramfs)"
)
_CONTROL_FILE = re.compile(
    r"(?:cgroup|cpuset|cpu|cpuacct|memory|io|blkio|pids|hugetlb|rdma|misc|devices|freezer|net_cls|net_prio|perf_event|irq|debug)"
    r"\.[\w.]+|tasks|notify_on_release|release_agent"
)
_GROUP = re.compile(
    r"(?:machine|system|user)\.slice|init\.scope|machine|unified|systemd|cpuset|cpu|cpuacct|memory|emulator|libvirt|vcpu\d{1,4}"
)


class Scrub:
    """Applies one recording's pseudonyms to the kinds of values that machines hold."""

    def __init__(self, made: Pseudonyms) -> None:
        self.made = made

    def plain(self, text: str, field: str) -> str:
        """A kernel's text: numbers and known words stay, each other token becomes a pseudonym.

        >>> Scrub(Pseudonyms(b"salt")).plain("none [mq-deadline] 10.1.2.3", "scheduler")
        'none [mq-deadline] 198.18.194.230'
        """
        parts: list[str] = []
        at = 0
        for match in _IDENTIFIER.finditer(text):
            stand_in = self._identifier(match, field)
            if stand_in is not None:
                parts += (self._words(text[at : match.start()], field), stand_in)
                at = match.end()
        return "".join([*parts, self._words(text[at:], field)])

    def name(self, text: str, field: str) -> str:
        """A name of a device, as the kernel gives it or else a pseudonym; a VLAN's number stays.

        >>> scrub = Scrub(Pseudonyms(b"salt"))
        >>> scrub.name("br0", "nic"), scrub.name("bond0.12", "nic"), scrub.name("dmz", "nic")
        ('br0', 'bond0.12', 'x658ba40272')
        """
        base, dot, vlan = text.rpartition(".")
        if dot and vlan.isdecimal() and len(vlan) < 5 and not PLACE.fullmatch(text):
            return f"{self.name(base, field)}.{vlan}"
        if DEVICE.fullmatch(text) or PLACE.fullmatch(text) or text in ("", ".", ".."):
            return text
        return self.made.name(text, field)

    def mapped(self, text: str, field: str) -> str:
        """A device mapper's name: the volume group and the volume apart, as their paths have them."""
        parts = re.split(r"(?<!-)-(?!-)", text)
        return "-".join(self.part(part.replace("--", "-"), field) for part in parts)

    def group(self, text: str, field: str) -> str:
        """A control group's name, or that of a file in its folder; a group's ending stays."""
        if _CONTROL_FILE.fullmatch(text) and all_known(text):
            return text
        if _GROUP.fullmatch(text):
            return text
        stem, dot, ending = text.rpartition(".")
        if dot and ending in ("slice", "scope", "service", "libvirt-qemu", "partition"):
            return f"{self.made.name(stem, field)}.{ending}"
        return self.name(text, field)

    def path(self, text: str, field: str) -> str:
        """An absolute path: known folders and programs stay, each other part becomes a pseudonym.

        >>> Scrub(Pseudonyms(b"salt")).path("/var/lib/libvirt/images/web.qcow2", "disk")
        '/var/lib/libvirt/images/x3067aa9569.qcow2'
        """
        folder, _, last = text.rpartition("/")
        if folder == "/dev/mapper":
            return f"{folder}/{self.mapped(last, field)}" if last != "control" else text
        return "/".join(self.part(part, field) for part in text.split("/"))

    def part(self, part: str, field: str) -> str:
        """One part of a path; a known ending stays, so that an image is told from a socket."""
        if part in _FOLDERS or part in ("", ".", "..") or DEVICE.fullmatch(part) or PLACE.fullmatch(part):
            return part
        if _PROGRAM.fullmatch(part):
            return part
        ending = _ENDING.search(part)
        stem, end = (part[: ending.start()], ending[0]) if ending and ending.start() else (part, "")
        return self.made.name(stem, field) + end

    def shaped(self, text: str, field: str) -> str:
        """A stand-in of the shape that the text has: UUID, MAC, IP address, path, URL or name."""
        bare = text.strip()
        if not bare:
            return text
        if UUID.fullmatch(bare) or re.fullmatch(r"(?i)[0-9a-f]{32}", bare):
            return self.made.uuid(bare, field)
        if MAC.fullmatch(bare):
            return self.made.mac(bare, field)
        if is_ipv6(bare) or is_ipv4(bare):
            return self.made.address(bare, field)
        if bare.startswith("/"):
            return self.path(bare, field)
        if re.fullmatch(r"(?i)(?:0x)?[0-9a-f]{16}", bare):
            return self.made.hexadecimal(bare, field, 16)
        return self.made.name(bare, field)

    def kept(self, text: str, field: str) -> str:
        """A value of a field that holds words and numbers alone; anything else becomes a pseudonym."""
        if all_known(text) and not any(match.lastgroup != "pci" for match in _IDENTIFIER.finditer(text)):
            return text
        return self.shaped(text, field)

    def _words(self, text: str, field: str) -> str:
        parts: list[str] = []
        at = 0
        for match in tokens(text):
            parts += (text[at : match.start()], match[0] if known(match[0]) else self.made.name(match[0], field))
            at = match.end()
        return "".join([*parts, text[at:]])

    def _identifier(self, match: re.Match[str], field: str) -> str | None:
        """What stands for an identifier; None where it only looks like one."""
        text = match[0]
        if match["pci"]:
            return text
        if match["uuid"]:
            return self.made.uuid(text, field)
        if match["mac"]:
            return self.made.mac(text, field)
        return self.made.address(text, field) if match["ipv4"] or is_ipv6(text) else None
