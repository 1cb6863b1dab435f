"""What system a guest runs, as far as somebody wrote it down: the proof that it has virtio drivers."""

from __future__ import annotations

import re

from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

# libosinfo's names (the last part but one of the id, or the whole) of systems with a Linux kernel.
_LINUX = re.compile(
    r"linux|debian|ubuntu|fedora|rhel|redhat|centos|rocky|alma|suse|sles|sled|caasp|arch|gentoo|alpine|mageia|mandriva"
    r"|altlinux|amazon|ovirt|endless|cirros|nixos|silverblue|coreos|mint|slackware|void|manjaro|asianux|pop_os",
    re.IGNORECASE,
)
# Their kernels came before virtio-net (Linux 2.6.25) or are too near to it to be trusted with it.
BEFORE_VIRTIO = re.compile(
    r"(?:rhel|centos|rhl|rhas)[/-]?[1-5](?:\D|$)|rhl[/-]|debian[/-]?[1-5](?:\D|$)|fedora(?:-core)?[/-]?[1-8](?:\D|$)"
    r"|ubuntu[/-]?[4-7]\.|opensuse[/-]?10(?:\D|$)|sle[sd][/-]?(?:9|10)(?:\D|$)",
    re.IGNORECASE,
)


def virtio_proof(domain: Domain, view: View) -> str | None:
    """The words that show that the guest's kernel has virtio drivers; None where nothing shows it.

    Linux by ``kvmnb.toml`` or by libosinfo's metadata is proof. Windows never is, since its drivers come apart from it.
    """
    said = view.intent.said(domain).os
    if said is None and view.windows(domain):
        return None
    for words, place in ((said, "os in kvmnb.toml"), (domain.wanted.os_id, "libosinfo metadata")):
        if words is None:
            continue
        known = _LINUX.search(words) and not BEFORE_VIRTIO.search(words) and "win" not in words.lower()
        return f"{place} says {words[:80]}" if known else None
    return None
