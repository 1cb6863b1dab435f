"""Which files of a host are kept in a recording, and what each is known to hold.

A pattern's parts: ``*`` a name of a device, which stays where the kernel gave it, ``#`` a number, ``+`` words of
the kernel, ``%`` a partition, ``~`` a control group, ``@`` the name of a configuration file. What fits no pattern
is left out.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import product

from kvmnb.share.vocabulary import DEVICE, PLACE, all_known

PLACES: dict[str, str] = {
    # Numbers and words of the kernel.
    "plain": """
        sys/devices/system/cpu/{online,offline,present,possible,isolated,nohz_full,kernel_max,modalias}
        sys/devices/system/cpu/+/{online,cpu_capacity,cpufreq/affected_cpus,cpufreq/related_cpus}
        sys/devices/system/cpu/+/topology/{physical_package_id,die_id,cluster_id,core_id,book_id,drawer_id}
        sys/devices/system/cpu/+/topology/{thread_siblings_list,core_cpus_list,core_siblings_list,package_cpus_list}
        sys/devices/system/cpu/+/topology/{die_cpus_list,cluster_cpus_list}
        sys/devices/system/cpu/+/cache/+/{id,level,type,size,shared_cpu_list,ways_of_associativity,number_of_sets}
        sys/devices/system/cpu/+/cache/+/{coherency_line_size,physical_line_partition}
        sys/devices/system/cpu/+/cpuidle/+/{name,latency,disable,residency,desc,time,usage,above,below}
        sys/devices/system/cpu/+/{cpufreq,acpi_cppc,thermal_throttle,microcode}/+
        sys/devices/system/cpu/{cpufreq,cpuidle,smt,intel_pstate,amd_pstate,vulnerabilities,hotplug,microcode}/+
        sys/devices/system/cpu/cpufreq/+/+
        sys/devices/{cpu_core,cpu_atom,cpu_lowpower,cpu}/{cpus,type}
        sys/devices/system/node/{online,possible,has_cpu,has_memory,has_normal_memory,has_generic_initiator}
        sys/devices/system/node/+/{cpulist,distance,meminfo,numastat,vmstat,hugepages/+/+}
        sys/devices/system/node/+/{access0,access1}/{initiators,targets}/+
        sys/devices/system/clocksource/+/{current_clocksource,available_clocksource}
        sys/devices/system/memory/{block_size_bytes,auto_online_blocks}
        sys/devices/virtual/workqueue/{nice,per_cpu}
        sys/kernel/mm/{hugepages/+/+,ksm/+,transparent_hugepage/+,transparent_hugepage/+/+,lru_gen/+,numa/+,swap/+}
        sys/module/+/parameters/+
        sys/module/+/{initstate,refcnt,taint}
        sys/block/*/{dev,size,ro,removable,stat,range,ext_range,capability,hidden,inflight,alignment_offset,diskseq}
        sys/block/*/{queue,integrity,dm}/{rotational,scheduler,nr_requests,read_ahead_kb,write_cache,fua,nomerges}
        sys/block/*/queue/{rq_affinity,zoned,io_poll,io_poll_delay,io_timeout,iostats,add_random,dax,wbt_lat_usec}
        sys/block/*/queue/{discard_max_bytes,discard_max_hw_bytes,discard_granularity,discard_zeroes_data}
        sys/block/*/queue/{logical_block_size,physical_block_size,minimum_io_size,optimal_io_size,hw_sector_size}
        sys/block/*/queue/{max_sectors_kb,max_hw_sectors_kb,max_segments,max_segment_size,max_integrity_segments}
        sys/block/*/queue/{chunk_sectors,stable_writes,dma_alignment,nr_zones,virt_boundary_mask,async_depth}
        sys/block/*/queue/{write_same_max_bytes,write_zeroes_max_bytes,max_discard_segments,throttle_sample_time}
        sys/block/*/queue/iosched/+
        sys/block/*/mq/#/{cpu_list,nr_tags,nr_reserved_tags}
        sys/block/*/device/{model,vendor,rev,firmware_rev,type,state,queue_depth,queue_type,queue_count,sqsize}
        sys/block/*/device/{numa_node,transport,scsi_level,timeout,cntlid,kato,address,cntrltype}
        sys/block/*/dm/{suspended,rq_based_seq_io_merge_deadline,use_blk_mq}
        sys/block/*/md/{level,raid_disks,chunk_size,array_state,sync_action,degraded,metadata_version}
        sys/block/*/loop/{offset,sizelimit,autoclear,partscan,dio}
        sys/block/*/%/{dev,partition,size,start,ro,stat,alignment_offset}
        sys/class/net/*/{mtu,tx_queue_len,speed,duplex,carrier,carrier_changes,flags,ifindex,iflink,type,operstate}
        sys/class/net/*/{tun_flags,link_mode,dormant,gro_flush_timeout,napi_defer_hard_irqs,threaded,address}
        sys/class/net/*/{phys_port_name,addr_len,addr_assign_type,name_assign_type,dev_id,dev_port,proto_down,testing}
        sys/class/net/*/{bridge,brport,statistics,bonding}/+
        sys/class/net/*/upper_*/{ifindex}
        sys/class/net/*/device/{numa_node,vendor,device,subsystem_vendor,subsystem_device,class,irq,revision,enable}
        sys/class/net/*/device/{sriov_numvfs,sriov_totalvfs,sriov_drivers_autoprobe,sriov_offset,sriov_stride}
        sys/class/net/*/device/{local_cpulist,current_link_speed,current_link_width,max_link_speed,max_link_width}
        sys/class/net/*/queues/+/{tx_maxrate,traffic_class,tx_timeout,rps_flow_cnt}
        sys/bus/pci/devices/*/{numa_node,irq,vendor,device,class,local_cpulist,sriov_numvfs,sriov_totalvfs,enable}
        sys/bus/pci/devices/*/{current_link_speed,current_link_width,max_link_speed,max_link_width,revision}
        sys/bus/node/devices/+/cpulist
        sys/fs/cgroup/{cgroup.controllers,cgroup.subtree_control,cpuset.cpus,cpuset.mems}
        sys/fs/cgroup/{cpuset.cpus.effective,cpuset.mems.effective,cpuset.cpus.isolated,cpuset.cpus.partition}
        sys/fs/cgroup/{~,~/~,~/~/~,~/~/~/~}/{cpuset.cpus,cpuset.mems,cpuset.cpus.effective,cpuset.mems.effective}
        sys/fs/cgroup/{~,~/~,~/~/~,~/~/~/~}/{cpuset.cpus.partition,cpu.max,cpu.weight,cpu.stat,memory.max,memory.current}
        sys/fs/cgroup/{~,~/~,~/~/~,~/~/~/~}/{cgroup.controllers,cgroup.procs,cgroup.threads,cgroup.type}
        sys/hypervisor/type
        sys/power/{state,mem_sleep}
        proc/{meminfo,vmstat,stat,diskstats,loadavg,uptime,softirqs,misc,filesystems,buddyinfo,interrupts,devices}
        proc/{pressure/cpu,pressure/io,pressure/memory,net/sockstat,net/dev,net/bonding/*,mdstat}
        proc/net/stat/{nf_conntrack,+}
        proc/irq/#/{smp_affinity_list,effective_affinity_list,affinity_hint_list,node,spurious}
        proc/irq/default_smp_affinity_list
        proc/sys/{fs,vm,kernel}/+
        proc/sys/kernel/{yama,keys,numa_balancing}/+
        proc/sys/net/{core,bridge,netfilter,unix}/+
        proc/sys/net/{ipv4,ipv6}/{conf,neigh}/{all,default,*}/+
        proc/sys/net/{ipv4,ipv6}/{+,netfilter/+}
        proc/net/netfilter/nf_log
        etc/{debian_version,os-release,redhat-release,fedora-release,centos-release,SuSE-release,alpine-release}
        usr/lib/os-release
        etc/tuned/{active_profile,profile_mode}
        proc/#/comm
    """,
    # Sets of CPUs as hexadecimal masks.
    "mask": """
        sys/devices/system/cpu/+/topology/{thread_siblings,core_siblings,core_cpus,package_cpus,die_cpus,cluster_cpus}
        sys/devices/system/cpu/+/cache/+/shared_cpu_map
        sys/devices/system/node/+/cpumap
        sys/devices/virtual/workqueue/{cpumask,+/cpumask}
        sys/class/net/*/queues/+/{rps_cpus,xps_cpus,xps_rxqs}
        sys/class/net/*/device/local_cpus
        sys/bus/pci/devices/*/local_cpus
        proc/irq/#/{smp_affinity,effective_affinity,affinity_hint}
        proc/irq/default_smp_affinity
        proc/net/softnet_stat
    """,
    # Texts of a form of their own; ``kvmnb.share.texts`` has a function of each name.
    "cpuinfo": "proc/cpuinfo",
    "status": "proc/{self,#}/status",
    "cmdline": "proc/cmdline",
    "version": "proc/version proc/sys/kernel/{version,osrelease}",
    "modules": "proc/modules",
    "mountinfo": "proc/{self,1}/mountinfo",
    "mounts": "proc/mounts proc/self/mounts",
    "swaps": "proc/swaps",
    "vlans": "proc/net/vlan/{config,*}",
    "uevent": "sys/class/net/*/uevent sys/class/net/*/device/uevent sys/block/*/uevent sys/bus/pci/devices/*/uevent",
    "settings": """
        {etc,run,usr/lib,usr/local/lib,lib}/sysctl.d/@ etc/sysctl.conf
        {etc,run,usr/lib,lib}/modprobe.d/@
        {etc,run,usr/lib}/{tmpfiles.d,udev/rules.d,modules-load.d}/@
        etc/{ksmtuned.conf,numad.conf,sysconfig/irqbalance,default/irqbalance,default/grub,tuned/tuned-main.conf}
        etc/{tuned,tuned/profiles,default/+}/+
        etc/libvirt/{qemu.conf,libvirtd.conf,virtqemud.conf}
    """,
    "mapped": "sys/block/*/dm/name",
    "dm_uuid": "sys/block/*/dm/uuid",
    "file_path": "sys/block/*/loop/backing_file sys/class/block/*/loop/backing_file",
    "nic_names": "sys/class/net/bonding_masters sys/class/net/*/bonding/{slaves,active_slave,primary}",
    "link": """
        sys/class/{net,block}/* sys/block/* sys/dev/block/* sys/class/net/*/{device,master,subsystem,+}
        sys/class/net/*/device/{driver,iommu_group,physfn,subsystem,+} sys/class/net/*/device/driver/module
        sys/bus/pci/devices/* sys/bus/pci/devices/*/{driver,iommu_group,physfn,+}
        sys/block/*/{device,bdi,subsystem} sys/block/*/device/{driver,subsystem,device}
        sys/block/*/{holders,slaves}/* sys/block/*/%/holders/* sys/class/net/*/{brif,lower,upper}/*
        sys/class/net/*/{lower,upper}_* dev/disk/+/* dev/mapper/* dev/*/* dev/*
    """,
    "group_path": "proc/{self,#}/cpuset",
    "boot_id": "proc/sys/kernel/random/boot_id",
    "machine_id": "etc/machine-id",
    "host_name": "proc/sys/kernel/hostname etc/hostname",
    "ethtool": "ethtool/*.json",
    # Only that the file is there.
    "presence": """
        dev/{kvm,vhost-net,vhost-vsock,vfio/vfio,net/tun,ksm,sev,sgx_vepc}
        {usr/sbin,usr/bin,usr/libexec,usr/lib,sbin,bin}/+ sys/class/dmi/id/product_uuid
    """,
    # Folders whose names may be listed.
    "listing": """
        sys/block/*/{holders,slaves,mq}/* sys/block/*/%/holders/* sys/class/net/*/brif/* sys/class/net/*/{lower,upper}_*
        sys/bus/pci/devices/*/{net,msi_irqs}/* sys/class/net/*/device/msi_irqs/# sys/class/net/*/device/net/*
        sys/class/net/*/queues/+
    """,
}


_WILD = frozenset("*+#@%~")


def kind_of(path: str) -> str | None:
    """What the file at a path is known to hold; None where it is not to be kept."""
    kind, _ = match(path)
    return kind


@lru_cache(maxsize=100_000)
def match(path: str) -> tuple[str | None, tuple[str, ...]]:
    """The kind of the first pattern that a path fits, and the pattern's parts."""
    parts = tuple(path.split("/"))
    depth = _pci_depth(parts)
    if depth > 2 and parts[depth:] in (("numa_node",), ("irq",), ("local_cpulist",)):
        return "plain", parts
    for kind, pattern in _patterns().get(len(parts), ()):
        if all(_fits(part, wanted) for part, wanted in zip(parts, pattern, strict=True)):
            return kind, pattern
    return None, ()


def _pci_depth(parts: tuple[str, ...]) -> int:
    """How many parts of a path below ``sys/devices`` are addresses of devices, however deep they lie."""
    if parts[:2] != ("sys", "devices"):
        return 0
    return next((depth for depth, part in enumerate(parts) if depth > 1 and not PLACE.fullmatch(part)), len(parts))


def part_kind(parts: tuple[str, ...]) -> str:
    """How the last of these parts, a name in a listed folder, is written: ``literal``, ``*``, ``#``, ``@`` or ````.

    The empty word is for a name that no pattern has.
    """
    depth = _pci_depth(parts)
    if depth > 2 and (parts[depth:] in ((), ("msi_irqs",)) or (parts[depth:-1] == ("msi_irqs",))):
        return "literal" if parts[-1] == "msi_irqs" or PLACE.fullmatch(parts[-1]) else ""
    found = ""
    for wanted in _beginnings(len(parts)):
        if all(_fits(part, one) for part, one in zip(parts, wanted, strict=True)):
            if wanted[-1] not in _WILD:
                return "literal" if wanted[-1] == parts[-1] else wanted[-1]
            found = found or wanted[-1]
    return found


@cache
def _beginnings(length: int) -> tuple[tuple[str, ...], ...]:
    """How patterns begin, each way once: so many parts of all that have as many."""
    longer = (pattern for own, patterns in _patterns().items() if own >= length for _, pattern in patterns)
    return tuple(dict.fromkeys(pattern[:length] for pattern in longer))


def _fits(part: str, wanted: str) -> bool:
    if wanted in ("*", "~"):
        return True
    if wanted == "%":
        return DEVICE.fullmatch(part) is not None
    if wanted == "#":
        return part.isdecimal() and part.isascii()
    if wanted == "+":
        return all_known(part)
    if wanted == "@":
        return bool(re.fullmatch(r"[^/]{1,200}\.(?:conf|rules)", part))
    if "*" in wanted:
        start, _, end = wanted.partition("*")
        return part.startswith(start) and part.endswith(end) and len(part) > len(start) + len(end)
    return part == wanted


@cache
def _patterns() -> dict[int, tuple[tuple[str, tuple[str, ...]], ...]]:
    """All patterns by their number of parts, the more exact ones first."""
    found: dict[int, list[tuple[str, tuple[str, ...]]]] = {}
    for kind, texts in PLACES.items():
        for text in texts.split():
            for pattern in _expand(text):
                parts = tuple(pattern.split("/"))
                found.setdefault(len(parts), []).append((kind, parts))
    return {
        length: tuple(sorted(patterns, key=lambda one: sum(part in _WILD for part in one[1])))
        for length, patterns in found.items()
    }


def _expand(text: str) -> list[str]:
    """The patterns that braces stand for."""
    pieces = [piece.split(",") for piece in re.split(r"[{}]", text)]
    # Outside of braces a comma is a comma; there is none in a path that is read.
    return ["".join(choice) for choice in product(*pieces)]
