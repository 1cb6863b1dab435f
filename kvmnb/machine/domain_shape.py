"""libvirt's domain XML: what its elements are found by, and the order that libvirt prints them in.

Orders follow what libvirt 9.0 and 11.3 print; libvirt reads children in any order, so an order here only
decides how a diff reads. What libvirt adds on reading was seen in what it gives back.
"""

from __future__ import annotations

from types import MappingProxyType

from kvmnb.core.xml import Key, Shape

_QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"

_KEYS = {
    "devices/disk": Key((("target/@dev",),)),
    "devices/interface": Key((("target/@dev",), ("mac/@address",)), caseless=True),
    "devices/controller": Key((("@type", "@index"), ("@type", "#"))),
    "devices/filesystem": Key((("target/@dir",),)),
    "devices/hostdev": Key((("alias/@name",),)),
    "devices/memory": Key((("alias/@name",),)),
    "devices/graphics": Key((("@type", "#"),)),
    "devices/channel": Key((("target/@name",), ("alias/@name",))),
    "devices/shmem": Key((("@name",),)),
    "devices/audio": Key((("@id",),)),
    "cputune/vcpupin": Key((("@vcpu",),)),
    "cputune/iothreadpin": Key((("@iothread",),)),
    "cputune/vcpusched": Key((("@vcpus",),)),
    "cputune/iothreadsched": Key((("@iothreads",),)),
    "cputune/cachetune": Key((("@vcpus",),)),
    "cputune/memorytune": Key((("@vcpus",),)),
    "cachetune/cache": Key((("@id",),)),
    "memorytune/node": Key((("@id",),)),
    "vcpus/vcpu": Key((("@id",),)),
    "iothreadids/iothread": Key((("@id",),)),
    "iothreads/iothread": Key((("@id",),)),
    "numa/cell": Key((("@id",),)),
    "cell/cache": Key((("@level",),)),
    "distances/sibling": Key((("@id",),)),
    "numatune/memnode": Key((("@cellid",),)),
    "hugepages/page": Key((("@size:KiB",),)),
    "cpu/feature": Key((("@name",),)),
    "clock/timer": Key((("@name",),)),
    "perf/event": Key((("@name",),)),
    "blkiotune/device": Key((("path/text()",),)),
    "throttlegroups/throttlegroup": Key((("group_name/text()",),)),
    "os/boot": Key((("@dev",),)),
    "domain/seclabel": Key((("@model",),)),
}

_RATES = tuple(
    f"{who}_{what}_sec{end}"
    for end in ("", "_max", "_max_length")
    for what in ("bytes", "iops")
    for who in ("total", "read", "write")
)
_IOTUNE = (*_RATES[:12], "size_iops_sec", "group_name", *_RATES[12:])
_DEVICE_END = ("boot", "alias", "master", "acpi", "rom", "address")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ORDER = {
    "domain": _names(
        """
        name uuid genid title description metadata maxMemory memory currentMemory blkiotune
        memtune memoryBacking vcpu vcpus iothreads iothreadids defaultiothread cputune numatune
        resource sysinfo throttlegroups bootloader bootloader_args os idmap features cpu clock
        on_poweroff on_reboot on_crash on_lockfailure pm perf devices seclabel keywrap
        launchSecurity qemu:commandline qemu:capabilities qemu:override qemu:deprecation
        """
    ),
    "blkiotune": ("weight", "device"),
    "blkiotune/device": _names("path weight read_iops_sec write_iops_sec read_bytes_sec write_bytes_sec"),
    "memtune": _names("hard_limit soft_limit min_guarantee swap_hard_limit"),
    "memoryBacking": _names("hugepages nosharepages locked source access allocation discard"),
    "hugepages": ("page",),
    "vcpus": ("vcpu",),
    "iothreadids": ("iothread",),
    "iothreadids/iothread": ("poll",),
    "cputune": _names(
        """
        shares period quota global_period global_quota emulator_period emulator_quota
        iothread_period iothread_quota vcpupin emulatorpin iothreadpin vcpusched iothreadsched
        emulatorsched cachetune memorytune
        """
    ),
    "cachetune": ("cache", "monitor"),
    "memorytune": ("monitor", "node"),
    "numatune": ("memory", "memnode"),
    "resource": ("partition", "fibrechannel"),
    "throttlegroups": ("throttlegroup",),
    "throttlegroup": _IOTUNE,
    "os": _names(
        """
        type firmware init initarg initenv initdir inituser initgroup loader nvram kernel initrd
        cmdline dtb root shim acpi boot bootmenu bios smbios
        """
    ),
    "features": _names(
        """
        acpi apic pae viridian privnet hap hyperv kvm xen pvspinlock pmu vmport gic smm ioapic
        hpt htm nested-hv msrs ccf-assist vmcoreinfo cfpc sbbc ibs tcg async-teardown ras ps2
        aia
        """
    ),
    "hyperv": _names(
        """
        relaxed vapic spinlocks vpindex runtime synic stimer reset vendor_id frequencies
        reenlightenment tlbflush ipi evmcs avic emsr_bitmap xmm_input
        """
    ),
    "hyperv/stimer": ("direct",),
    "hyperv/tlbflush": ("direct", "extended"),
    "features/kvm": _names("hidden hint-dedicated poll-control pv-ipi dirty-ring"),
    "cpu": _names("model vendor topology cache maxphysaddr feature numa"),
    "numa": ("cell", "interconnects"),
    "cell": ("distances", "cache"),
    "distances": ("sibling",),
    "cell/cache": ("size", "line"),
    "interconnects": ("latency", "bandwidth"),
    "clock": ("timer",),
    "timer": ("catchup",),
    "pm": ("suspend-to-mem", "suspend-to-disk"),
    "perf": ("event",),
    "devices": _names(
        """
        emulator disk controller lease filesystem interface smartcard serial parallel console
        channel input tpm graphics sound audio video hostdev redirdev redirfilter hub watchdog
        memballoon rng nvram panic shmem memory iommu vsock crypto pstore
        """
    ),
    "disk": _names(
        """
        driver auth source backingStore backenddomain geometry blockio mirror target iotune
        throttlefilters readonly shareable transient serial wwn vendor product encryption
        """
    )
    + _DEVICE_END,
    "disk/driver": ("iothreads", "metadata_cache", "statistics"),
    "driver/iothreads": ("iothread",),
    "driver/metadata_cache": ("max_size",),
    "iotune": _IOTUNE,
    "throttlefilters": ("throttlefilter",),
    "controller": _names("driver model target") + _DEVICE_END,
    "filesystem": _names(
        """
        driver binary idmap source target readonly space_hard_limit space_soft_limit
        """
    )
    + _DEVICE_END,
    "filesystem/binary": _names("cache sandbox lock thread_pool"),
    "interface": _names(
        """
        mac source vlan virtualport bandwidth port ip route portForward script downscript
        backenddomain target guest model driver backend filterref tune link mtu coalesce teaming
        """
    )
    + _DEVICE_END,
    "interface/driver": ("host", "guest"),
    "interface/tune": ("sndbuf",),
    "interface/bandwidth": ("inbound", "outbound"),
    "coalesce": ("rx",),
    "coalesce/rx": ("frames",),
    "hostdev": _names("driver source teaming readonly shareable") + _DEVICE_END,
    "memballoon": ("stats", *_DEVICE_END, "driver"),
    "rng": _names("rate backend driver") + _DEVICE_END,
    "video": _names("driver model") + _DEVICE_END,
    "iommu": _names("driver") + _DEVICE_END,
    "devices/input": _names("driver source") + _DEVICE_END,
    "vsock": ("cid", *_DEVICE_END, "driver"),
    "devices/memory": _names("uuid source target") + _DEVICE_END,
    "memory/target": _names("size node block requested current label readonly address"),
    "qemu:commandline": ("qemu:arg", "qemu:env"),
    "qemu:capabilities": ("qemu:add", "qemu:del"),
}

# Who the domain is, its devices, and what these are backed by: never made or removed by a tuning.
_STANDING = _names(
    """
    domain/name domain/uuid domain/genid domain/memory domain/vcpu domain/os domain/devices
    domain/metadata os/type devices/emulator devices/disk devices/interface devices/hostdev
    devices/filesystem devices/lease devices/redirdev disk/source disk/target
    disk/backingStore interface/source interface/mac interface/target
    """
)

_DEVICES_MADE_WHOLE = tuple(f"devices/{name}" for name in _ORDER["devices"] if f"devices/{name}" not in _STANDING)

_ADDED = {
    "currentMemory": {"@unit=KiB"},
    "maxMemory": {"@unit=KiB"},
    "hard_limit": {"@unit=KiB"},
    "soft_limit": {"@unit=KiB"},
    "swap_hard_limit": {"@unit=KiB"},
    "cpu": {"@match=exact", "@check=none", "@check=partial", "@check=full", "@migratable=on"},
    "cpu/model": {"@fallback=allow"},
    "cpu/topology": {"@dies=1", "@clusters=1"},
    "numa/cell": {"@unit=KiB"},
    "hugepages/page": {"@unit=KiB"},
    "numatune/memory": {"@mode=strict"},
    "numatune/memnode": {"@mode=strict"},
    "vcpus/vcpu": {"@hotpluggable=no", "@hotpluggable=yes", "@enabled=yes"},
    "disk/driver": {"@name=qemu", "@type=raw"},
    "disk/address": {"@domain", "@bus", "@slot", "@function", "@multifunction"},
    "hyperv": {"@mode=custom"},
    "devices/channel": {"source"},
    "channel/target": {"@state=connected", "@state=disconnected"},
    "devices/*": {"address", "alias"},
    "devices/controller": {"address", "alias", "@model"},
}

_RULING = ("domain/cpu/@mode", "devices/memballoon/@model", "video/model/@type", "devices/controller/@model")

DOMAIN = Shape(
    root="domain",
    keys=MappingProxyType(_KEYS),
    order=MappingProxyType(_ORDER),
    standing=frozenset(_STANDING),
    given=frozenset(_DEVICES_MADE_WHOLE),
    added=MappingProxyType({name: frozenset(values) for name, values in _ADDED.items()}),
    ruling=frozenset(_RULING),
    namespaces=MappingProxyType({"qemu": _QEMU}),
)
