"""A NIC needs fewer queues than the guest has vCPUs.

What is said
    Give each NIC as many queues as the guest has vCPUs, then run ethtool -L in the guest.

What is true
    Each queue costs an interrupt for each direction, memory, and a vhost worker that can take a CPU of the host.
    Few loads fill more than four. Begin with the smaller of the vCPUs and 4, and go up while a queue is full. A
    Linux guest uses what it is given by itself, so ethtool is not needed. A change needs a restart or a new
    device, and both ends of a migration have to agree.

Where it comes from
    Benchmarks of many flows on fast NICs, and the limit read as a recommendation: queues beyond the vCPUs are
    never used.

When it holds
    For routers and balancers with very many flows from 25 Gbit/s on, up to about 8.

Look by hand
    ``virsh dumpxml GUEST | grep queues=``; in the guest ``ethtool -l eth0``; on the host ``top -H`` for vhost.

Sources
    * Linux source, drivers/net/virtio_net.c
    * Red Hat, Virtualization Tuning and Optimization Guide, multi-queue virtio-net
    * KubeVirt, network multiqueue
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import percent_encode

MYTH = Myth("myth.queues_vcpus")

ENOUGH = Threshold(
    name="myth.queues_vcpus.enough",
    default=4,
    unit="queues",
    least=1,
    most=256,
    meaning="few loads fill more",
)


@MYTH.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each NIC with as many queues as vCPUs where that is more than most loads fill."""
    count, enough = domain.wanted.vcpus, view.value(ENOUGH)
    for number, one in enumerate(domain.wanted.devices.interfaces):
        if one.queues == count > enough:
            yield MYTH.sign(
                f"{one.mac or f'interface {number}'} has {one.queues} queues for {count} vCPUs (persistent XML)",
                f"See how many of them are busy under load; {enough} serve most guests.",
                subject=f"interface/{percent_encode(one.mac or str(number))}",
            )
