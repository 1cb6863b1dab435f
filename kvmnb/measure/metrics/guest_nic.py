"""A guest's interfaces, from the counters of their taps; the label is the tap's name (``vnet3``).

Directions are the guest's: what the tap sends the guest receives. An interface without a tap (user-mode
networking, a PCI device that was handed over) has no series.
"""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import TICK, Metric

DEV = "/proc/net/dev"

NIC_RECEIVED = Metric(
    name="kvm_nic_received_packets_total",
    kind="counter",
    unit="packets",
    of="guest",
    label="nic",
    help="Packets that the host gave to a guest's interface. A packet may be larger than the MTU where the host "
    "joins or splits them late (GRO, TSO).",
    source=f"{DEV}: packets that the tap sent",
    cost="one read for all interfaces of the host",
    period=TICK,
)
WITH_RECEIVED = "none of its own: it comes with the received packets"
NIC_RECEIVED_BYTES = replace(
    NIC_RECEIVED,
    name="kvm_nic_received_bytes_total",
    unit="bytes",
    help="Bytes that the host gave to a guest's interface.",
    source=f"{DEV}: bytes that the tap sent",
    cost=WITH_RECEIVED,
)
NIC_RECEIVE_DROPS = replace(
    NIC_RECEIVED,
    name="kvm_nic_receive_dropped_packets_total",
    help="Packets for a guest that were thrown away at its tap, because the guest or its vhost worker did not take "
    "them in time.",
    source=f"{DEV}: packets that the tap dropped when sending",
    cost=WITH_RECEIVED,
)
NIC_RECEIVE_ERRORS = replace(
    NIC_RECEIVED,
    name="kvm_nic_receive_errors_total",
    unit="errors",
    help="Packets for a guest that its tap could not pass on.",
    source=f"{DEV}: errors of the tap when sending",
    cost=WITH_RECEIVED,
)
NIC_SENT = replace(
    NIC_RECEIVED,
    name="kvm_nic_sent_packets_total",
    help="Packets that a guest's interface gave to the host. A packet may be larger than the MTU (TSO).",
    source=f"{DEV}: packets that the tap received",
    cost=WITH_RECEIVED,
)
NIC_SENT_BYTES = replace(
    NIC_RECEIVED,
    name="kvm_nic_sent_bytes_total",
    unit="bytes",
    help="Bytes that a guest's interface gave to the host.",
    source=f"{DEV}: bytes that the tap received",
    cost=WITH_RECEIVED,
)
NIC_SEND_DROPS = replace(
    NIC_RECEIVED,
    name="kvm_nic_send_dropped_packets_total",
    help="Packets from a guest that the host threw away behind its tap.",
    source=f"{DEV}: packets that the tap dropped when receiving",
    cost=WITH_RECEIVED,
)
NIC_SEND_ERRORS = replace(
    NIC_RECEIVED,
    name="kvm_nic_send_errors_total",
    unit="errors",
    help="Packets from a guest that its tap could not take.",
    source=f"{DEV}: errors of the tap when receiving",
    cost=WITH_RECEIVED,
)

METRICS = (
    NIC_RECEIVED,
    NIC_RECEIVED_BYTES,
    NIC_RECEIVE_DROPS,
    NIC_RECEIVE_ERRORS,
    NIC_SENT,
    NIC_SENT_BYTES,
    NIC_SEND_DROPS,
    NIC_SEND_ERRORS,
)
