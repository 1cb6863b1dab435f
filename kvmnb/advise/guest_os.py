"""What is known of the system inside a guest, and by whose word."""

from __future__ import annotations

from kvmnb.advise.guest_system import BEFORE_VIRTIO
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

# The vendors in libosinfo's ids whose systems are Linux with virtio drivers in their kernels.
LINUX_VENDORS = (
    "almalinux.org", "alpinelinux.org", "altlinux.org", "amazon.com", "archlinux.org", "asianux.com", "centos.org",
    "circlelinux.org", "clearlinux.org", "debian.org", "endlessos.com", "eurolinux.org", "fedoraproject.org",
    "gentoo.org", "gnome.org", "guix.gnu.org", "linuxmint.com", "mageia.org", "mandriva.com", "manjaro.org",
    "miraclelinux.com", "nixos.org", "opensuse.org", "oracle.com", "pureos.net", "redhat.com", "rockylinux.org",
    "scientificlinux.org", "slackware.com", "suse.com", "system76.com", "ubuntu.com", "voidlinux.org",
)  # fmt: skip
_LINUX_WORDS = ("linux", *(vendor.partition(".")[0] for vendor in LINUX_VENDORS if vendor not in ("gnome.org",)))
_SOLARIS = "/solaris/"


def linux_by(domain: Domain, view: View) -> str | None:
    """Whose word says that the guest runs Linux, which has virtio drivers; None where nobody's does."""
    said = view.intent.said(domain).os
    if said is not None:
        # A person's word stands above the metadata, also where it says another system.
        linux = any(word in said.lower() for word in _LINUX_WORDS) and not BEFORE_VIRTIO.search(said)
        return f"kvmnb.toml says {said}" if linux else None
    wanted = domain.wanted
    found = wanted.os_id
    if found is None or view.windows(domain) or _SOLARIS in found or BEFORE_VIRTIO.search(found):
        return None
    host = found.removeprefix("http://").removeprefix("https://").partition("/")[0]
    return f"libosinfo's id in the metadata is {found}" if host in LINUX_VENDORS else None
