"""The host's interfaces, taps of guests left out; and how each CPU takes packets in."""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import TICK, Metric

DEV = "/proc/net/dev"
SOFTNET = "/proc/net/softnet_stat"

HOST_NIC_RECEIVED = Metric(
    name="host_nic_received_packets_total",
    kind="counter",
    unit="packets",
    of="host",
    label="nic",
    help="Packets that an interface received.",
    source=f"{DEV}, receive packets",
    cost="one read for all interfaces of the host",
    period=TICK,
)


def _more(name: str, unit: str, help: str, source: str) -> Metric:
    cost = "none of its own: it comes with the received packets"
    return replace(HOST_NIC_RECEIVED, name=f"host_nic_{name}_total", unit=unit, help=help, source=source, cost=cost)


HOST_NIC_RECEIVED_BYTES = _more("received_bytes", "bytes", "Bytes that an interface received.", f"{DEV}, receive bytes")
HOST_NIC_RECEIVE_ERRORS = _more(
    "receive_errors", "errors", "Packets that an interface received broken.", f"{DEV}, receive errs"
)
HOST_NIC_RECEIVE_DROPS = _more(
    "receive_dropped_packets",
    "packets",
    "Packets that were received and thrown away, those that nothing on this host wanted included.",
    f"{DEV}, receive drop",
)
HOST_NIC_RING_DROPS = replace(
    _more(
        "ring_dropped_packets",
        "packets",
        "Packets lost in a NIC for want of a place in its ring or its buffer; of NICs with a device behind them.",
        "/sys/class/net/<nic>/statistics/{rx_missed_errors,rx_fifo_errors}",
    ),
    cost="two reads of small files per NIC with a device behind it",
)
HOST_NIC_SENT = _more("sent_packets", "packets", "Packets that an interface sent.", f"{DEV}, transmit packets")
HOST_NIC_SENT_BYTES = _more("sent_bytes", "bytes", "Bytes that an interface sent.", f"{DEV}, transmit bytes")
HOST_NIC_SEND_ERRORS = _more(
    "send_errors", "errors", "Packets that an interface could not send.", f"{DEV}, transmit errs"
)
HOST_NIC_SEND_DROPS = _more(
    "send_dropped_packets",
    "packets",
    "Packets that were to be sent and were thrown away.",
    f"{DEV}, transmit drop",
)
HOST_SOFTNET = replace(
    HOST_NIC_RECEIVED,
    name="host_softnet_packets_total",
    label="cpu",
    help="Packets that a host CPU took in from NICs, taps and bridges.",
    source=f"{SOFTNET}, column 1",
    cost="one read for all CPUs",
)
HOST_SOFTNET_DROPS = replace(
    HOST_SOFTNET,
    name="host_softnet_dropped_packets_total",
    help="Packets that a host CPU threw away because its backlog was full.",
    source=f"{SOFTNET}, column 2",
    cost="none of its own: it comes with the packets",
)
HOST_SOFTNET_SQUEEZES = replace(
    HOST_SOFTNET_DROPS,
    name="host_softnet_squeezes_total",
    unit="squeezes",
    help="How often a host CPU stopped taking packets in because its share of time or packets was used up.",
    source=f"{SOFTNET}, column 3",
)

METRICS = (
    HOST_NIC_RECEIVED,
    HOST_NIC_RECEIVED_BYTES,
    HOST_NIC_RECEIVE_ERRORS,
    HOST_NIC_RECEIVE_DROPS,
    HOST_NIC_RING_DROPS,
    HOST_NIC_SENT,
    HOST_NIC_SENT_BYTES,
    HOST_NIC_SEND_ERRORS,
    HOST_NIC_SEND_DROPS,
    HOST_SOFTNET,
    HOST_SOFTNET_DROPS,
    HOST_SOFTNET_SQUEEZES,
)
