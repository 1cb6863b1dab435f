"""A small recorded host written by hand: four CPUs without SMT, one node, guests as asked."""

from __future__ import annotations

import json
from pathlib import Path

HOST_UUID = "0e4a6f3c-5d2b-4a1e-9c8d-7b6a59483726"
UUIDS = tuple(f"00000000-0000-4000-8000-{number:012d}" for number in range(1, 10))

GUEST = """<domain type='kvm'{id}>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='KiB'>1048576</memory>
  <currentMemory unit='KiB'>1048576</currentMemory>
  <vcpu placement='static'>{vcpus}</vcpu>
{cputune}  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <cpu mode='host-passthrough' check='none' migratable='on'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <graphics type='vnc' port='-1' autoport='yes' passwd='{password}'/>
  </devices>
</domain>
"""

CAPABILITIES = """<capabilities>
  <host>
    <uuid>{uuid}</uuid>
    <cpu><arch>x86_64</arch></cpu>
    <topology><cells num='1'><cell id='0'><cpus num='{count}'>{cpus}</cpus></cell></cells></topology>
  </host>
</capabilities>
"""

DOMAIN_CAPABILITIES = """<domainCapabilities>
  <path>/usr/bin/qemu-system-x86_64</path>
  <domain>kvm</domain>
  <machine>pc-q35-7.2</machine>
  <arch>x86_64</arch>
  <vcpu max='288'/>
  <cpu><mode name='host-passthrough' supported='yes'/><mode name='host-model' supported='yes'/></cpu>
</domainCapabilities>
"""


def write_host(folder: Path, cpus: int = 4, governor: str = "powersave") -> Path:
    """A recorded host without guests, with an active p-state driver."""
    texts = {
        "recording.json": json.dumps(
            {
                "schema": "kvmnb.recording/1",
                "made_at": "2026-01-01T00:00:00Z",
                "kvmnb": "0.1.0",
                "title": "a small host",
                "origin": "constructed",
            }
        ),
        "proc/sys/kernel/random/boot_id": "9d1c7a52-3b64-4f0e-8a7d-2c5e6f708192\n",
        "sys/devices/system/cpu/online": f"0-{cpus - 1}\n",
        "sys/devices/system/cpu/isolated": "\n",
        "sys/devices/system/node/node0/cpulist": f"0-{cpus - 1}\n",
        "sys/devices/system/node/node0/distance": "10\n",
        "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal: 16777216 kB\nNode 0 MemFree: 8388608 kB\n",
        "libvirt/version.json": json.dumps({"libvirt": "9.0.0", "hypervisor": "7.2.0", "driver": "QEMU"}),
        "libvirt/capabilities.xml": CAPABILITIES.format(
            uuid=HOST_UUID,
            count=cpus,
            cpus="".join(f"<cpu id='{n}' socket_id='0' core_id='{n}' siblings='{n}'/>" for n in range(cpus)),
        ),
        "libvirt/domcaps/q35.xml": DOMAIN_CAPABILITIES,
    }
    for number in range(cpus):
        cpu = f"sys/devices/system/cpu/cpu{number}/topology"
        policy = f"sys/devices/system/cpu/cpufreq/policy{number}"
        texts |= {
            f"{cpu}/physical_package_id": "0\n",
            f"{cpu}/die_id": "0\n",
            f"{cpu}/core_id": f"{number}\n",
            f"{cpu}/thread_siblings_list": f"{number}\n",
            f"{policy}/scaling_driver": "intel_pstate\n",
            f"{policy}/scaling_governor": f"{governor}\n",
            f"{policy}/scaling_available_governors": "performance powersave\n",
            f"{policy}/energy_performance_preference": "balance_power\n",
            f"{policy}/energy_performance_available_preferences": "default performance balance_power power\n",
            f"{policy}/scaling_max_freq": "3500000\n",
            f"{policy}/cpuinfo_max_freq": "3500000\n",
            f"{policy}/affected_cpus": f"{number}\n",
        }
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def write_guest(
    folder: Path,
    name: str,
    number: int = 0,
    *,
    vcpus: int = 2,
    running: bool = True,
    cputune: str = "",
    password: str = "opensesame",
) -> str:
    """Add a guest to a recorded host; its UUID. ``name`` is put into the XML as it is."""
    uuid = UUIDS[number]
    place = folder / "libvirt/domains" / uuid
    place.mkdir(parents=True)
    words = {"name": name, "uuid": uuid, "vcpus": vcpus, "cputune": cputune, "password": password}
    (place / "inactive.xml").write_text(GUEST.format(id="", **words))
    if running:
        (place / "live.xml").write_text(GUEST.format(id=f" id='{number + 1}'", **words))
    return uuid
