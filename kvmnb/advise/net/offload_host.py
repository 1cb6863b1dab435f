"""A NIC that carries guests has its segmentation or checksum offloads off.

What is seen
    On a NIC through which guests' packets leave the host (a port of their bridge that is no tap, the NIC below their
    macvtap, and those below a bond or VLAN): generic-receive-offload, generic-segmentation-offload,
    tcp-segmentation-offload, rx- or tx-checksumming is off although it could be on. Taps are left out: theirs follow
    what the guest agreed to. The settings alone show it, load does not matter.

Why it hurts
    With GRO a train of packets is joined once at the NIC and travels bridge, vhost and guest as one; with TSO and
    GSO it is cut last. Without them every hop pays for each packet of 1500 bytes.

What to do
    ``ethtool -K NIC gro on gso on tso on rx on tx on``, those that are off. Lasting: NetworkManager's
    ``ethtool.feature-*`` or ``GenericReceiveOffload=`` and the like in the NIC's systemd ``.link`` file. LRO is
    another thing and stays off on a bridge (net.offload.lro_bridge).

Leave it when
    Guests route or inspect traffic and must see packets as they came, or the driver has a known bug.

Cost
    Works at once; some drivers reset the link for a moment. Durability, migration, security: none.

Look by hand
    ``ethtool -k NIC``; ``[fixed]`` marks what cannot be changed.

Measure it
    ``iperf3`` from another machine into a guest, with the host's softirq time (``mpstat -P ALL``).

Sources
    * Linux documentation, Segmentation Offloads
    * Linux documentation, Netdev features mess and how to get out from it alive
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.net.wires import carriers
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.tunable.spelling import percent_encode, shell_word

RULE = Rule(
    id="net.offload.host",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT,),
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: much for streams of TCP from 10 Gbit/s on",
)

# The long words of ethtool -k and the short ones of -K.
OFFLOADS = {
    "generic-receive-offload": "gro",
    "generic-segmentation-offload": "gso",
    "tcp-segmentation-offload": "tso",
    "rx-checksumming": "rx",
    "tx-checksumming": "tx",
}


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each NIC of guests with an offload off."""
    for nic in carriers(view):
        off = [word for word in OFFLOADS if nic.ethtool.offload(word) is False and nic.ethtool.fixed(word) is False]
        if off:
            switches = " ".join(f"{OFFLOADS[word]} on" for word in off)
            yield Seen(
                saw=f"{nic.name}, which carries guests, has {', '.join(off)} off (ethtool features)",
                safety=Safety.MANUAL,
                by_hand=(
                    f"ethtool -K {shell_word(nic.name)} {switches}",
                    *(
                        f"nmcli connection modify PROFILE ethtool.feature-{OFFLOADS[word]} on  # lasting"
                        for word in off
                    ),
                ),
                subject=f"nic/{percent_encode(nic.name)}",
            )
