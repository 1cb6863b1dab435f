"""Socket buffers are tuned where guests do not use them, or in the wrong knob.

What is seen
    ``tcp_mem`` is not what the kernel worked out at boot (a file of ``sysctl.d`` sets it, or its three numbers are
    not in the kernel's ratio); ``tcp_moderate_rcvbuf`` is 0; a NIC of the host's own, 10 Gbit/s or more and no port
    of a bridge, whose bandwidth in a millisecond does not fit the largest TCP buffer; or ``rmem_max`` or ``wmem_max``
    are set in a file while guests are bridged. Settings alone show all but the third, which rests on the host
    itself ending fast flows. Bridged guests never make it fire for their sake.

Why it hurts
    A guest's TCP ends in the guest: its frames never touch a socket of the host. TCP sizes its own buffers up to
    the third number of ``tcp_rmem`` and ``tcp_wmem``; ``rmem_max`` only bounds what programs ask for by
    themselves. ``tcp_mem`` counts pages, not bytes; a copied value starves or floods the host. Defaults have grown
    beyond many recipes, which now make buffers smaller.

What to do
    Leave ``tcp_mem`` to the kernel. Tune inside the guests. On the host only for what ends there (migration, NFS,
    iSCSI, Ceph): the third number of ``tcp_rmem`` and ``tcp_wmem`` twice the bandwidth times the round trip, lasting
    in a file of ``/etc/sysctl.d``.

Leave it when
    A program on the host is known to ask for large buffers (UDP receivers), or long fat paths were measured.

Cost
    Works at once. Durability: none. Migration: large buffers help a migration over a long path. Security: very large
    ones let many connections fill the memory. Latency may rise.

Look by hand
    ``sysctl net.ipv4.tcp_mem net.ipv4.tcp_rmem net.core.rmem_max``; ``grep -r net /etc/sysctl.d``.

Measure it
    ``ss -tmi`` on the end of the flow: ``rcv_space``, and whether ``rwnd_limited`` or ``sndbuf_limited`` grows.

Sources
    * Linux documentation, IP Sysctl (tcp_mem, tcp_rmem, tcp_wmem, tcp_moderate_rcvbuf)
    * Linux source, net/ipv4/tcp.c (tcp_init_mem)
    * TuneD, profile network-throughput
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.net.wires import bridges_of_guests
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import format_bytes
from kvmnb.facts.kernel import Sysctl
from kvmnb.tunable.spelling import percent_encode, shell_word

RULE = Rule(
    id="net.sysctl.rmem",
    severity=Severity.LOW,
    goals=(Goal.THROUGHPUT,),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: only for the host's own long, fast paths",
)

FAST_MBIT = Threshold(
    name="net.sysctl.rmem.fast",
    default=10_000,
    unit="Mbit/s",
    least=1,
    most=10000000,
    meaning="NICs from this speed on are judged",
)
ROUND_TRIP = Threshold(
    name="net.sysctl.rmem.round_trip",
    default=1.0,
    unit="ms",
    least=0.001,
    most=10000.0,
    meaning="the round trip of a local network under load",
)
_BUFFERS = ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")
_BOUNDS = ("net.core.rmem_max", "net.core.wmem_max")


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each wrong knob, and one for each NIC whose flows the buffers hold back."""
    settings = {one.key: one for one in view.host.kernel.sysctls}
    yield from _tcp_mem(settings.get("net.ipv4.tcp_mem"))
    moderate = settings.get("net.ipv4.tcp_moderate_rcvbuf")
    if moderate is not None and moderate.value == "0":
        yield Seen(
            saw="net.ipv4.tcp_moderate_rcvbuf is 0, so receive buffers stay as small as they begin",
            safety=Safety.MANUAL,
            by_hand=("sysctl -w net.ipv4.tcp_moderate_rcvbuf=1", *_forget(moderate)),
            subject="sysctl/net.ipv4.tcp_moderate_rcvbuf",
        )
    with view.part():
        yield from _fast(view)
    yield from _folklore(settings, view)


def _tcp_mem(found: Sysctl | None) -> Iterator[Seen]:
    numbers = _three(found.value) if found is not None else None
    if found is None or numbers is None:
        return
    low, mid, high = numbers
    # tcp_init_mem: three quarters of the limit, the limit, and twice the first.
    own = (low, high) == (mid // 4 * 3, low * 2)
    if own and found.set_by is None:
        return
    where = f"/{found.set_by} sets it" if found.set_by is not None else "its numbers are not in the kernel's ratio"
    yield Seen(
        saw=f"net.ipv4.tcp_mem is {found.value} pages, not what the kernel worked out at boot: {where}",
        safety=Safety.MANUAL,
        by_hand=(*_forget(found), "Start the host again when it suits: the kernel then works it out anew."),
        note="it counts pages, so a value meant as bytes is thousands of times too large",
        subject="sysctl/net.ipv4.tcp_mem",
    )


def _three(value: str | None) -> tuple[int, int, int] | None:
    """The three numbers of such a setting."""
    words = (value or "").split()
    if len(words) != 3 or not all(word.isdecimal() for word in words):
        return None
    return int(words[0]), int(words[1]), int(words[2])


def _forget(found: Sysctl) -> tuple[str, ...]:
    return (f"editor {shell_word('/' + found.set_by)}  # take {found.key} out",) if found.set_by is not None else ()


def _fast(view: View) -> Iterator[Seen]:
    """NICs of the host's own that are faster than the largest TCP buffer fills."""
    fast, round_trip = view.value(FAST_MBIT), view.value(ROUND_TRIP)
    for nic in view.host.nics:
        if nic.kind not in ("physical", "bond") or nic.master is not None or (nic.speed_mbit or 0) < fast:
            continue
        needed = int((nic.speed_mbit or 0) * 1_000_000 / 8 * round_trip / 1000)
        small = []
        for key in _BUFFERS:
            value = view.host.kernel.sysctl(key)
            numbers = _three(value)
            if numbers is not None and numbers[2] < needed:
                small.append((key, numbers))
        if small:
            yield Seen(
                saw=f"{nic.name} ({(nic.speed_mbit or 0) // 1000} Gbit/s) carries {format_bytes(needed)} in "
                f"{round_trip:g} ms, more than the largest buffer: "
                + ", ".join(f"{key} {numbers[2]} bytes" for key, numbers in small),
                safety=Safety.MANUAL,
                by_hand=(
                    "ping -c 20 PEER  # the round trip that counts; the buffer is twice bandwidth times round trip",
                    *(
                        f'sysctl -w {key}="{numbers[0]} {numbers[1]} {2 * needed}"  # lasting: /etc/sysctl.d'
                        for key, numbers in small
                    ),
                ),
                sure=Sure.POSSIBLE,
                note="rests on: the host itself ends fast flows there (migration, NFS, iSCSI, Ceph); not for guests",
                subject=f"nic/{percent_encode(nic.name)}",
            )


def _folklore(settings: dict[str, Sysctl], view: View) -> Iterator[Seen]:
    """Bounds for programs that somebody raised on a host of bridged guests."""
    raised = [settings[key] for key in _BOUNDS if key in settings and settings[key].set_by is not None]
    if raised and bridges_of_guests(view):
        yield Seen(
            saw=", ".join(f"{one.key} is {one.value} (/{one.set_by})" for one in raised)
            + "; guests are on bridges, and their TCP ends in the guests",
            severity=Severity.INFO,
            safety=Safety.MANUAL,
            by_hand=tuple(command for one in raised for command in _forget(one)),
            sure=Sure.POSSIBLE,
            note="it bounds what programs on the host ask for themselves; bridged guests gain nothing",
            subject="sysctl/net.core.rmem_max",
        )
