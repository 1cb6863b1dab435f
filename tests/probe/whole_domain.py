"""A domain with the properties that the corpora's domains lack, and what is read of any domain."""

from __future__ import annotations

from kvmnb.facts.domain import Configuration
from kvmnb.probe.domain import domain_of_text

RARE = """\
<domain type='kvm'>
  <name>whole</name>
  <memory unit='GiB'>4</memory>
  <vcpu>4</vcpu>
  <iothreads>2</iothreads>
  <iothreadids>
    <iothread id='1' thread_pool_min='4' thread_pool_max='16'>
      <poll max='65536' grow='4' shrink='2'/>
    </iothread>
    <iothread id='2'/>
  </iothreadids>
  <throttlegroups>
    <throttlegroup><group_name>slow</group_name><total_iops_sec>500</total_iops_sec></throttlegroup>
  </throttlegroups>
  <cputune>
    <emulator_period>20000</emulator_period>
    <emulator_quota>10000</emulator_quota>
    <vcpusched vcpus='0-1' scheduler='fifo' priority='1'/>
    <iothreadsched iothreads='2' scheduler='batch'/>
    <emulatorsched scheduler='rr' priority='2'/>
    <cachetune vcpus='0-1'><cache id='0' level='3' type='both' size='3' unit='MiB'/></cachetune>
    <memorytune vcpus='2'><node id='0' bandwidth='60'/></memorytune>
  </cputune>
  <sysinfo type='smbios'><system><entry name='product'>A thing</entry></system></sysinfo>
  <os>
    <type arch='x86_64' machine='pc-q35-9.0'>hvm</type>
    <loader type='pflash' readonly='yes' secure='yes'>/usr/share/OVMF/OVMF_CODE.secboot.fd</loader>
    <boot dev='network'/>
    <boot dev='hd'/>
  </os>
  <features>
    <acpi/>
    <pae state='off'/>
    <pvspinlock state='off'/>
    <kvm><hint-dedicated state='on'/><poll-control state='off'/></kvm>
    <hyperv mode='custom'>
      <spinlocks state='on' retries='8191'/>
      <stimer state='on'><direct state='on'/></stimer>
      <tlbflush state='on'><direct state='on'/><extended state='off'/></tlbflush>
    </hyperv>
  </features>
  <perf><event name='cmt' enabled='yes'/><event name='mbmt' enabled='no'/></perf>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='block' device='lun' rawio='yes' sgio='unfiltered'>
      <driver name='qemu' type='raw' rerror_policy='report' queue_size='256' queues='4'>
        <statistics><latency_histogram type='all'/></statistics>
        <iothreads><iothread id='1'/><iothread id='2'/></iothreads>
        <metadata_cache><max_size unit='MiB'>8</max_size></metadata_cache>
      </driver>
      <source dev='/dev/mapper/a'><reservations managed='yes'/></source>
      <target dev='sda' bus='scsi'/>
      <throttlefilters><throttlefilter group='slow'/></throttlefilters>
      <transient/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'>
      <driver queues='4' queue_size='512' cmd_per_lun='64' max_sectors='512'>
        <iothreads><iothread id='2'/></iothreads>
      </driver>
    </controller>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:01'/>
      <source bridge='br0'/>
      <bandwidth>
        <inbound average='1000' peak='2000' floor='100'/>
        <outbound average='3000' peak='4000'/>
      </bandwidth>
      <model type='virtio'/>
      <port isolated='yes'/>
      <driver name='vhost' event_idx='off'>
        <host csum='off' gso='off' tso4='off' tso6='off' ecn='off' ufo='off' mrg_rxbuf='off'/>
        <guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/>
      </driver>
      <coalesce><rx><frames max='7'/></rx></coalesce>
    </interface>
    <memory model='virtio-mem'>
      <target>
        <size unit='GiB'>2</size>
        <node>0</node>
        <block unit='MiB'>2</block>
        <requested unit='MiB'>512</requested>
        <current unit='MiB'>256</current>
      </target>
    </memory>
    <watchdog model='itco' action='reset'/>
    <video><model type='virtio' heads='2'><acceleration accel3d='yes'/></model></video>
    <iommu model='intel'><driver intremap='on' eim='on'/></iommu>
    <memballoon model='virtio' autodeflate='on' freePageReporting='on'><stats period='10'/></memballoon>
  </devices>
</domain>
"""


def read(xml: str) -> Configuration:
    """The configuration in a domain XML."""
    found = domain_of_text(xml, "a domain").inactive
    assert found is not None
    return found


def with_devices(devices: str) -> Configuration:
    """The configuration of a small domain with these devices."""
    return read(
        f"<domain type='kvm'><name>a</name><memory>1048576</memory><vcpu>1</vcpu><devices>{devices}</devices></domain>"
    )
