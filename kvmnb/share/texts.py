"""Files of a form of their own, scrubbed field by field: one function for each kind of ``kvmnb.share.places``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from kvmnb.share.scrub import Scrub
from kvmnb.share.vocabulary import all_known, known

# The words of the command line that say how the kernel is tuned; what else is there is dropped.
_BOOT_WORDS_TEXT = """
    isolcpus nohz nohz_full rcu_nocbs rcu_nocb_poll rcu_normal irqaffinity kthread_cpus housekeeping managed_irq
    hugepages hugepagesz default_hugepagesz transparent_hugepage hugetlb_free_vmemmap numa numa_balancing
    mitigations intel_iommu amd_iommu iommu iommu.passthrough iommu.strict intel_idle.max_cstate
    processor.max_cstate idle intel_pstate amd_pstate cpufreq.default_governor cpuidle.governor cpuidle.off
    nosmt maxcpus nr_cpus mem pti nopti spectre_v2 spectre_v1 l1tf mds tsx tsx_async_abort kvm.halt_poll_ns
    kvm.nx_huge_pages kvm.ignore_msrs kvm_intel.nested kvm_amd.nested kvm_intel.ept kvm_amd.npt kvm_amd.avic
    kvm_intel.ple_gap kvm_intel.preemption_timer elevator scsi_mod.use_blk_mq clocksource tsc hpet nohpet
    skew_tick nmi_watchdog nowatchdog watchdog audit selinux apparmor security cgroup_enable cgroup_disable
    systemd.unified_cgroup_hierarchy cgroup_no_v1 psi threadirqs preempt swapaccount zswap.enabled
    zswap.compressor zswap.max_pool_percent pcie_aspm pcie_acs_override pcie_port_pm pci split_lock_detect
    retbleed spec_store_bypass_disable gather_data_sampling srbds tsc_khz workqueue.unbound_cpus
    workqueue.power_efficient rcutree.kthread_prio rcupdate.rcu_expedited quiet splash ro rw nokaslr noapic
    nolapic acpi noexec vga nomodeset vfio_iommu_type1.allow_unsafe_interrupts schedstats
    kernel.sched_schedstats mce crashkernel
"""
_BOOT_WORDS = frozenset(_BOOT_WORDS_TEXT.split())
DROPPED = "kvmnb.dropped"
_MODULES = re.compile(
    r"kvm\w*|vhost\w*|vfio\w*|virtio\w*|nf_conntrack\w*|br_netfilter|bridge|bonding|8021q|openvswitch|tun|tap|macv\w+|zram|zswap"
    r"|intel_\w+|amd\w*|nvme\w*|ixgbe\w*|i40e\w*|ice|igb\w*|e1000\w*|mlx[45]_\w+|bnxt_en|r8169|tg3|iscsi_\w+|dm_\w+|md_mod|raid\d+|xfs|ext4|btrfs"
    r"|overlay|nfsv?\d?|ceph|rbd|loop|msr|cpuid|ipmi_\w+|acpi_\w+|ipt?_tables|x_tables|nf_tables|irqbypass|ccp|haltpoll|cpuidle_haltpoll|bfq|kyber\w*|mq_deadline"
)
_CPU_KEYS = re.compile(
    r"processor|vendor_id|cpu family|model|model name|stepping|microcode|cpu MHz|cache size|physical id|siblings"
    r"|core id|cpu cores|apicid|initial apicid|fpu|fpu_exception|cpuid level|wp|flags|vmx flags|bugs|bogomips|TLB size"
    r"|clflush size|cache_alignment|address sizes|power management|BogoMIPS|Features|CPU implementer|CPU architecture"
    r"|CPU variant|CPU part|CPU revision|features|facilities|bogomips per cpu|cpu|clock"
    r"|revision|timebase|machine|platform"
)
_UEVENT_KEYS = re.compile(
    r"DRIVER|PCI_(?:CLASS|ID|SUBSYS_ID|SLOT_NAME)|DEVTYPE|INTERFACE|IFINDEX|MAJOR|MINOR|DEVNAME|DISKSEQ"
)
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")
_COMMS = re.compile(
    r"tuned|irqbalance|ksmtuned|numad|NetworkManager|power-profiles-|systemd|init|kthreadd|libvirtd|virtqemud|dbus-daemon"
    r"|tini|bash|sh|python3?|dockerd|containerd|cron|sshd|ksmd|khugepaged"
)

Keeper = Callable[[Scrub, str, str], str | None]


def plain(scrub: Scrub, text: str, path: str) -> str | None:
    """Numbers and words of the kernel."""
    if path.endswith("/comm"):
        return text if _COMMS.fullmatch(text.strip()) else None
    return scrub.plain(text, path)


def mask(scrub: Scrub, text: str, path: str) -> str | None:
    """Sets as hexadecimal masks; anything else is left out."""
    if re.fullmatch(r"[0-9a-fA-F,\s]*", text):
        return text
    scrub.made.drop(text, path)
    return None


def cpuinfo(scrub: Scrub, text: str, path: str) -> str | None:
    """``/proc/cpuinfo``, without a line that could hold a serial number."""
    kept = []
    for line in text.split("\n"):
        key, colon, value = line.partition(":")
        if not line.strip():
            kept.append("")
        elif colon and _CPU_KEYS.fullmatch(key.strip()):
            kept.append(f"{key}:{scrub.plain(value, path)}")
        else:
            scrub.made.drop(value, path)
    return "\n".join(kept)


def status(scrub: Scrub, text: str, path: str) -> str | None:
    """``/proc/*/status``, of which only the allowed CPUs and nodes are kept."""
    kept = [line for line in text.splitlines() if re.fullmatch(r"(?:Cpus|Mems)_allowed(?:_list)?:\s*[0-9a-f,-]*", line)]
    return "".join(f"{line}\n" for line in kept)


def cmdline(scrub: Scrub, text: str, path: str) -> str | None:
    """The kernel's command line: tuning words with known values stay."""
    kept: list[str] = []
    for word in text.split():
        key, _, value = word.partition("=")
        if key in _BOOT_WORDS and all_known(value):
            kept.append(word)
        else:
            scrub.made.drop(word, path)
            if not kept or kept[-1] != DROPPED:
                kept.append(DROPPED)
    return " ".join(kept) + "\n"


def version(scrub: Scrub, text: str, path: str) -> str | None:
    """The kernel's release, without who built it and where."""
    words = text.split()
    head = words[:3] if path == "proc/version" else words[:1] if path.endswith("osrelease") else words
    for word in words[len(head) :]:
        scrub.made.drop(word, path)
    return scrub.plain(" ".join(head), path) + "\n"


def modules(scrub: Scrub, text: str, path: str) -> str | None:
    """``/proc/modules``, of which the modules that tuning knows are kept, without their users."""
    kept = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) > 2 and _MODULES.fullmatch(fields[0]) and fields[1].isdecimal():
            kept.append(
                f"{fields[0]} {fields[1]} {fields[2] if fields[2].isdecimal() else 0} - Live 0x0000000000000000\n"
            )
        elif fields:
            scrub.made.drop(fields[0], path)
    return "".join(kept)


def mountinfo(scrub: Scrub, text: str, path: str) -> str | None:
    """``/proc/self/mountinfo``: what is mounted where, with the options that are known."""
    kept = []
    for line in text.splitlines():
        head, dash, tail = line.partition(" - ")
        fields, rest = head.split(" "), tail.split(" ")
        if not dash or len(fields) < 6 or len(rest) < 3 or not all(re.fullmatch(r"[\d:]+", one) for one in fields[:3]):
            scrub.made.drop(line, path)
            continue
        shared = [one for one in fields[6:] if re.fullmatch(r"(?:shared|master|propagate_from):\d+|unbindable", one)]
        first = [*fields[:3], _mount_path(scrub, fields[3], path), _mount_path(scrub, fields[4], path)]
        first += [_options(scrub, fields[5], path), *shared]
        kind = rest[0] if all_known(rest[0]) else scrub.made.name(rest[0], path)
        last = [kind, _source(scrub, rest[1], path), _options(scrub, rest[2], path)]
        kept.append(f"{' '.join(first)} - {' '.join(last)}\n")
    return "".join(kept)


def mounts(scrub: Scrub, text: str, path: str) -> str | None:
    """``/proc/mounts``."""
    kept = []
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) < 4:
            scrub.made.drop(line, path)
            continue
        kind = fields[2] if all_known(fields[2]) else scrub.made.name(fields[2], path)
        where = _mount_path(scrub, fields[1], path)
        kept.append(f"{_source(scrub, fields[0], path)} {where} {kind} {_options(scrub, fields[3], path)} 0 0\n")
    return "".join(kept)


def swaps(scrub: Scrub, text: str, path: str) -> str | None:
    """``/proc/swaps``."""
    lines = text.splitlines()
    kept = lines[:1] if lines and lines[0].startswith("Filename") and all_known(lines[0]) else []
    for line in lines[1:]:
        fields = line.rsplit(maxsplit=4)
        if (
            len(fields) == 5
            and fields[1] in ("partition", "file")
            and all(one.lstrip("-").isdecimal() for one in fields[2:])
        ):
            kept.append("\t".join((_mount_path(scrub, fields[0], path), *fields[1:])))
        else:
            scrub.made.drop(line, path)
    return "".join(f"{line}\n" for line in kept)


def vlans(scrub: Scrub, text: str, path: str) -> str | None:
    """``/proc/net/vlan``: names of NICs, divided by bars or in words."""
    lines = []
    for line in text.splitlines():
        names = [one.strip() for one in line.split("|")]
        if len(names) == 3 and names[1].isdecimal():
            lines.append(f"{scrub.name(names[0], path)} | {names[1]} | {scrub.name(names[2], path)}")
        else:
            lines.append(scrub.plain(line, path))
    return "".join(f"{line}\n" for line in lines)


def uevent(scrub: Scrub, text: str, path: str) -> str | None:
    """``uevent``: the keys that tell driver, place and kind."""
    kept = []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if not _UEVENT_KEYS.fullmatch(key):
            scrub.made.drop(value, path)
        elif key in ("INTERFACE", "DEVNAME"):
            kept.append(f"{key}={scrub.name(value, path)}")
        elif key.startswith("PCI_") and re.fullmatch(r"[0-9A-Fa-f:.]{1,16}", value):
            kept.append(line)
        else:
            kept.append(f"{key}={scrub.plain(value, path)}")
    return "".join(f"{line}\n" for line in kept)


def settings(scrub: Scrub, text: str, path: str) -> str | None:
    """A configuration file: lines of known words and values; comments and all else are left out."""
    kept = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            scrub.made.drop(stripped.lstrip("#; "), path)
        elif stripped.startswith("GRUB_CMDLINE"):
            key, _, value = stripped.partition("=")
            kept.append(f'{key}="{(cmdline(scrub, value.strip().strip(chr(34)), path) or "").strip()}"')
        elif "sysctl" in path:
            kept += _setting(scrub, stripped, path)
        elif all_known(stripped.partition(" #")[0]):
            kept.append(stripped.partition(" #")[0])
        else:
            scrub.made.drop(stripped, path)
    return "".join(f"{line}\n" for line in kept)


def mapped(scrub: Scrub, text: str, path: str) -> str | None:
    """A device mapper's name."""
    return scrub.mapped(text.strip(), path) + "\n"


def dm_uuid(scrub: Scrub, text: str, path: str) -> str | None:
    """A device mapper's UUID, of which the part before the dash tells what made it."""
    kind, dash, rest = text.strip().partition("-")
    if not dash or not all_known(kind):
        return scrub.made.name(text.strip(), path) + "\n" if text.strip() else text
    return f"{kind}-{scrub.made.name(rest, path)}\n"


def file_path(scrub: Scrub, text: str, path: str) -> str | None:
    """A path."""
    return scrub.path(text.rstrip("\n"), path) + "\n"


def group_path(scrub: Scrub, text: str, path: str) -> str | None:
    """The path of a control group."""
    return "/".join(scrub.group(part, path) for part in text.strip().split("/")) + "\n"


def nic_names(scrub: Scrub, text: str, path: str) -> str | None:
    """Names of NICs divided by white space."""
    return " ".join(scrub.name(name, path) for name in text.split()) + "\n"


def link(scrub: Scrub, text: str, path: str) -> str | None:
    """Where a link of the kernel or udev points to."""
    parts = text.strip().split("/")
    last = path.rpartition("/")[2]
    named = last == "master" or last.startswith(("lower_", "upper_"))
    done = []
    for position, part in enumerate(parts):
        chosen = named and position == len(parts) - 1
        chosen = chosen or (position > 0 and parts[position - 1] in ("net", "block", "virtual", "mapper"))
        if part in ("", ".", "..") or (not chosen and not path.startswith("dev/") and all_known(part)):
            done.append(part)
        elif path.startswith("dev/"):
            done.append(
                scrub.mapped(part, path) if position and parts[position - 1] == "mapper" else scrub.part(part, path)
            )
        elif position and parts[position - 1] == "virtual" and part in ("net", "block"):
            done.append(part)
        else:
            done.append(scrub.name(part, path))
    return "/".join(done)


def boot_id(scrub: Scrub, text: str, path: str) -> str | None:
    """The boot's UUID."""
    return scrub.shaped(text.strip(), path) + "\n"


def machine_id(scrub: Scrub, text: str, path: str) -> str | None:
    """The system's identifier."""
    return scrub.shaped(text.strip(), path) + "\n"


def host_name(scrub: Scrub, text: str, path: str) -> str | None:
    """The host's name, whose parts are remembered too."""
    for part in text.strip().split("."):
        scrub.made.drop(part, path)
    return scrub.made.name(text.strip(), path) + "\n" if text.strip() else text


def ethtool(scrub: Scrub, text: str, path: str) -> str | None:
    """The ethtool answers of one NIC."""
    return json_text(scrub, text, path)


def presence(scrub: Scrub, text: str, path: str) -> str | None:
    """That there is such a file, without what it holds."""
    return ""


def listing(scrub: Scrub, text: str, path: str) -> str | None:
    """Of a listed folder, the name alone."""
    return ""


def json_text(scrub: Scrub, text: str, path: str) -> str | None:
    """A JSON document: numbers stay under known keys, texts where their words are known."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        scrub.made.drop(text[:4096], path)
        return None
    return json.dumps(json_value(scrub, document, path), indent=1) + "\n"


def json_value(scrub: Scrub, value: Any, field: str) -> Any:
    """One value of a JSON document, scrubbed."""
    if isinstance(value, dict):
        kept = {}
        for key, below in value.items():
            if all_known(key):
                kept[key] = json_value(scrub, below, f"{field}#{key}")
            else:
                scrub.made.drop(key, field)
                scrub.made.drop(json.dumps(below)[:4096], field)
        return kept
    if isinstance(value, list):
        return [json_value(scrub, below, field) for below in value]
    if isinstance(value, str):
        if field.endswith(("#filename", "-filename", "#data-file", "#path")) or value.startswith("/"):
            return scrub.path(value, field)
        return scrub.plain(value, field) if field.startswith("ethtool/") else scrub.kept(value, field)
    return value


def _mount_path(scrub: Scrub, text: str, path: str) -> str:
    """A path as the kernel writes it, with blanks as octal numbers."""
    return scrub.path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), text), path)


def _source(scrub: Scrub, text: str, path: str) -> str:
    """What was mounted: a device, ``host:/export``, ``//host/share``, or the kernel's word."""
    text = _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
    if text.startswith("//"):
        return "//" + "/".join(scrub.shaped(part, path) for part in text[2:].split("/"))
    host, colon, folder = text.partition(":/")
    if colon and not text.startswith("/"):
        return f"{','.join(scrub.shaped(one, path) for one in host.split(','))}:{scrub.path('/' + folder, path)}"
    if text.startswith("/"):
        return scrub.path(text, path)
    return text if all_known(text) and "/" not in text else scrub.made.name(text, path)


def _options(scrub: Scrub, text: str, path: str) -> str:
    kept = []
    for option in text.split(","):
        if known(option) or (all_known(option) and "/" not in option and not re.search(r"\d+\.\d+\.\d+", option)):
            kept.append(option)
        else:
            scrub.made.drop(option, path)
    return ",".join(kept) or "rw"


def _setting(scrub: Scrub, line: str, path: str) -> list[str]:
    """A line of ``sysctl.d``: the key's parts are words of the kernel or names of NICs."""
    key, equals, value = line.partition("=")
    if not equals or not all_known(value):
        scrub.made.drop(line, path)
        return []
    # With slashes a dot is part of a name.
    divider = "/" if "/" in key else "."
    parts = [
        part if all_known(part) or part in ("*", "-") else scrub.name(part, path) for part in key.strip().split(divider)
    ]
    return [f"{divider.join(parts)} = {value.strip()}"]
