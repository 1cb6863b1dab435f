"""libvirt's answers: versions, capabilities, domain capabilities and the domains."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tools.demo_host import cpus, memory, shape
from tools.demo_host.guest_memory import put_guest_memory
from tools.demo_host.guests import GUESTS
from tools.demo_host.live import live_xml
from tools.demo_host.tree import Tree, cpu_list

# libvirt names a CPU by the largest model that it has no feature less than: Ice Lake-SP without TSX and MPX
# is Broadwell-noTSX-IBRS and these features, in the order of libvirt's CPU map.
MODEL = "Broadwell-noTSX-IBRS"
FEATURES = (
    "vme ds acpi ss ht tm pbe dtes64 ds_cpl vmx smx est tm2 xtpr pdcm dca osxsave f16c rdrand arat "
    "tsc_adjust cmt avx512f avx512dq avx512ifma clflushopt clwb intel-pt avx512cd sha-ni avx512bw "
    "avx512vl avx512vbmi umip pku ospke avx512vbmi2 gfni vaes vpclmulqdq avx512vnni avx512bitalg "
    "avx512-vpopcntdq la57 rdpid fsrm md-clear pconfig stibp arch-capabilities ssbd xsaveopt xsavec "
    "xgetbv1 xsaves mbm_total mbm_local pdpe1gb abm invtsc wbnoinvd rdctl-no ibrs-all skip-l1dfl-vmentry "
    "mds-no pschange-mc-no taa-no"
)

# Written by hand or printed by libvirt, and kept in the recording's folder itself.
KEPT = ("libvirt/domcaps/q35.xml", *(f"libvirt/domains/{guest.uuid}/inactive.xml" for guest in GUESTS))


def put_hypervisor(tree: Tree, kept: Path) -> None:
    """Everything below ``libvirt``; the kept texts are read from the recording in ``kept``."""
    for path in KEPT:
        tree.put_text(path, (kept / path).read_text(encoding="utf-8"))
    versions = {"libvirt": shape.LIBVIRT, "hypervisor": shape.QEMU, "driver": "QEMU"}
    tree.put("libvirt/version.json", json.dumps(versions))
    guests = Path(__file__).with_name("capabilities_guests.xml").read_text(encoding="utf-8")
    tree.put_text("libvirt/capabilities.xml", f"<capabilities>\n\n{_host()}\n{guests}\n</capabilities>\n")
    q35 = tree.texts["libvirt/domcaps/q35.xml"]
    tree.put_text("libvirt/domcaps/pc.xml", _pc(q35))
    host_model = re.search(r"<mode name='host-model'.*?</mode>", q35, flags=re.DOTALL)
    if host_model is None:
        raise ValueError("the domain capabilities name no host-model")
    for guest in GUESTS:
        folder = f"libvirt/domains/{guest.uuid}"
        state = {
            "state": "shutoff" if guest.id is None else "running",
            "reason": None,
            "persistent": True,
            "autostart": guest.autostart,
            "id": guest.id,
            "managed_save": False,
            # libvirt was not told of the images that somebody chained by hand.
            "snapshots": 0,
            "job": None,
            "updated": guest.id is not None and bool(guest.differs),
        }
        tree.put(f"{folder}/state.json", json.dumps(state))
        if guest.id is not None:
            inactive = tree.texts[f"{folder}/inactive.xml"]
            tree.put_text(f"{folder}/live.xml", live_xml(guest, inactive, host_model[0]))
            put_guest_memory(tree, guest.name, guest.uuid)


def nic_models(tree: Tree) -> dict[str, str]:
    """The model of every running guest's NICs, by the name of the tap."""
    found: dict[str, str] = {}
    for guest in GUESTS:
        text = tree.texts[f"libvirt/domains/{guest.uuid}/inactive.xml"]
        for tap, mac, _, _ in guest.taps:
            match = re.search(rf"<mac address='{mac}'/>.*?<model type='([^']*)'", text, flags=re.DOTALL)
            if match is None:
                raise ValueError(f"{guest.name} has no NIC {mac} with a model")
            found[tap] = match[1]
    return found


def _pc(q35: str) -> str:
    """The domain capabilities of the older chipset, which differ in four places."""
    text = q35.replace("<machine>pc-q35-7.2<", "<machine>pc-i440fx-7.2<").replace(
        "<vcpu max='288'/>", "<vcpu max='255'/>"
    )
    text = text.replace("        <value>fdc</value>\n", "        <value>ide</value>\n        <value>fdc</value>\n", 1)
    secure = "      <enum name='secure'>\n        <value>yes</value>\n"
    text = text.replace(secure, "      <enum name='secure'>\n")
    return re.sub(r"      <value>[^<]*(?:secboot|\.ms)\.fd</value>\n", "", text)


def _host() -> str:
    features = "".join(f"      <feature name='{name}'/>\n" for name in FEATURES.split())
    cells = "".join(_cell(node) for node in shape.NODES)
    banks = "".join(
        f"      <bank id='{node}' level='3' type='both' size='{cpus.CACHES[-1][2] // 1024}' unit='MiB' "
        f"cpus='{cpu_list(shape.cpus_of(node))}'/>\n"
        for node in shape.NODES
    )
    return f"""\
  <host>
    <uuid>{shape.HOST_UUID}</uuid>
    <cpu>
      <arch>x86_64</arch>
      <model>{MODEL}</model>
      <vendor>Intel</vendor>
      <microcode version='{shape.MICROCODE}'/>
      <signature family='6' model='106' stepping='6'/>
      <counter name='tsc' frequency='{shape.BASE_KHZ * 1000}' scaling='yes'/>
      <topology sockets='1' dies='1' cores='{shape.CORES}' threads='2'/>
      <maxphysaddr mode='emulate' bits='46'/>
{features}\
      <pages unit='KiB' size='4'/>
      <pages unit='KiB' size='2048'/>
      <pages unit='KiB' size='1048576'/>
    </cpu>
    <power_management/>
    <iommu support='yes'/>
    <migration_features>
      <live/>
      <uri_transports>
        <uri_transport>tcp</uri_transport>
        <uri_transport>rdma</uri_transport>
      </uri_transports>
    </migration_features>
    <topology>
      <cells num='{len(shape.NODES)}'>
{cells}\
      </cells>
    </topology>
    <cache>
{banks}\
    </cache>
    <secmodel>
      <model>apparmor</model>
      <doi>0</doi>
    </secmodel>
    <secmodel>
      <model>dac</model>
      <doi>0</doi>
      <baselabel type='kvm'>+64055:+64055</baselabel>
      <baselabel type='qemu'>+64055:+64055</baselabel>
    </secmodel>
  </host>
"""


def _cell(node: int) -> str:
    total, hugepages = memory.TOTAL_KIB[node], memory.HUGEPAGES_2M[node]
    small = (total - hugepages * 2048) // memory.PAGE_KIB
    distances = "".join(
        f"            <sibling id='{other}' value='{10 if other == node else 20}'/>\n" for other in shape.NODES
    )
    threads = "".join(
        f"            <cpu id='{cpu}' socket_id='{shape.package_of(cpu)}' die_id='0' "
        f"core_id='{shape.core_of(cpu)}' siblings='{cpu_list(shape.siblings_of(cpu))}'/>\n"
        for cpu in shape.cpus_of(node)
    )
    return f"""\
        <cell id='{node}'>
          <memory unit='KiB'>{total}</memory>
          <pages unit='KiB' size='4'>{small}</pages>
          <pages unit='KiB' size='2048'>{hugepages}</pages>
          <pages unit='KiB' size='1048576'>0</pages>
          <distances>
{distances}\
          </distances>
          <cpus num='{len(shape.cpus_of(node))}'>
{threads}\
          </cpus>
        </cell>
"""
