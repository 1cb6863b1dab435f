"""A seclabel has nothing to do with hugepages.

What is said
    Add a seclabel element beside memoryBacking when you give a guest hugepages.

What is true
    Hugepages need no label: libvirt gives each guest a folder of its own in hugetlbfs and labels it. A label of
    type dynamic that is written out is dropped when the guest starts. One of type static is kept, and if several
    guests carry the same, nothing separates them any more. On hosts with AppArmor a label for SELinux does
    nothing at all.

Where it comes from
    A live XML, in which libvirt shows the label that it made, copied as an example.

When it holds
    Where a security policy of your own gives guests static labels on purpose.

Look by hand
    ``virsh dumpxml --inactive GUEST | grep -A3 seclabel``; ``ps -eZ | grep qemu``.

Sources
    * libvirt, Domain XML format, Security label
    * Tested: libvirt 9.0.0 drops the label of type dynamic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

MYTH = Myth("myth.seclabel")


@MYTH.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where a guest with hugepages has a label in its stored XML."""
    stored = domain.inactive
    if stored is None or not stored.memory_backing.hugepages or not stored.tuning.security_models:
        return
    models = ", ".join(one or "no model" for one in stored.tuning.security_models)
    yield MYTH.sign(
        f"seclabel ({models}) stands beside memoryBacking/hugepages (persistent XML)",
        "If no policy of yours asks for it, leave the label to libvirt.",
        subject="seclabel",
    )
