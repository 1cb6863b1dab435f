"""The words that tell nothing of anybody: the kernel's, libvirt's and QEMU's own, and those of hardware makers.

A token of a text is kept only where it is a number or one of these. ``words.txt`` holds them, lower case,
one a line; a word with digits in it is known where its runs of letters are.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

# What may stand between tokens. Anything else (%, &, #, a backslash, a letter that is not ASCII) is part of
# a token and so makes it unknown: an encoded name is no list of words.
_TOKEN = re.compile(r"""[^\s_\-./:,;()\[\]{}<>@=+*|'"~!?^$]+""")
_NUMBER = re.compile(r"(?:0x[0-9a-f]{1,16}|[0-9]{1,24}(?:[kmgtpe]?(?:i?b|hz)?|[nmu]?s|t/s)?)", re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z]+|[0-9]+")

_BLOCK_DEVICES = r"""
    (?:sd|vd|xvd)[a-z]{1,3}\d{0,3} | hd[a-z]\d{0,3} | fd[a-z0-9]
    | nvme\d{1,3}(?:c\d{1,3})?(?:n\d{1,3}(?:p\d{1,3})?)?
    | (?:dm-|loop|zram|ram|sr|nbd|rbd|zd|md|bcache|pmem)\d{1,4}(?:p\d{1,3})? | mmcblk\d{1,2}(?:boot\d|rpmb|p\d{1,3})?
"""
# One that holds a MAC (enx...) or a part of a port's UUID (qvb..., tap...) is not among them.
_NICS = r"""
    lo
    | (?:eth|wlan|ib|bond|team|dummy|br|virbr|vmbr|vnet|tap|tun|macvtap|macvlan|vlan|vxlan|veth|ifb|docker|usb)\d{0,5}
    | (?:gre|sit|ip6tnl|tunl|erspan|gretap|ip_vti|ip6_vti|ip6gre)\d | virbr\d{1,3}-nic | bonding_masters
    | br-int | br-ex | br-tun | ovs-system | ovs-netdev | (?:em|p\dp)\d{1,3} | c\d{1,3}(?:n\d)?
    | (?:en|ib|wl|sl)(?:P\d{1,5})?(?:o\d{1,5} | [ps]\d{1,5}(?:s\d{1,5})?)
      (?:f\d{1,3})?(?:u\d{1,3})*(?:i\d)?(?:n?p\d{1,3} | d\d{1,3})?(?:s\d{1,3} | v\d{1,3})?
"""
# The names that the kernel and udev give by themselves.
DEVICE = re.compile(f"{_BLOCK_DEVICES} | {_NICS}", re.VERBOSE)
# PCI, SCSI and other addresses of devices, as they stand in links and folders of /sys.
PLACE = re.compile(
    r"""
    (?:pci)?[0-9a-f]{4,8}:[0-9a-f]{2}(?::[0-9a-f]{2}\.[0-7])?
    | \d{1,5}:\d{1,5}:\d{1,5}:\d{1,20} | target\d+:\d+:\d+
    | (?:ata|host|session|virtio|usb|end_device-|expander-|port-|rport-|nvme|node|cpu|policy|state|index|hugepages-|rx-
      |tx-|virtfn|phy-|vmbus_|link|dev)[\d:.-]+(?:kB)? | \d{1,10}
    """,
    re.VERBOSE,
)


@cache
def words() -> frozenset[str]:
    """All words."""
    return frozenset(files("kvmnb.share").joinpath("words.txt").read_text("utf-8").split())


@cache
def known(token: str) -> bool:
    """Whether a token is a number, a kernel's device name, or made of known words and digits.

    >>> known("0x1f"), known("node12"), known("ens1f0np0"), known("customer7")
    (True, True, True, False)
    """
    if len(token) > 64:
        return False
    if _NUMBER.fullmatch(token) or DEVICE.fullmatch(token) or token.lower() in words():
        return True
    runs = _RUN.findall(token)
    return "".join(runs) == token and len(runs) <= 6 and all(run[0].isdigit() or run.lower() in words() for run in runs)


def all_known(text: str) -> bool:
    """Whether a text has no token that is not known.

    >>> all_known("none [mq-deadline] kyber"), all_known("mail-server")
    (True, False)
    """
    return all(known(match[0]) for match in _TOKEN.finditer(text))


def tokens(text: str) -> list[re.Match[str]]:
    """The tokens of a text, with where they stand."""
    return list(_TOKEN.finditer(text))
