"""A tunable from its text, the inverse of ``str``."""

from __future__ import annotations

from collections.abc import Mapping

from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.ethtool import Ethtool
from kvmnb.tunable.kernel_arg import KernelArg
from kvmnb.tunable.live_device import LiveDevice
from kvmnb.tunable.live_iothread import LiveIothread
from kvmnb.tunable.live_setting import LiveSetting
from kvmnb.tunable.module import Module
from kvmnb.tunable.mount import Mount
from kvmnb.tunable.sriov import Sriov
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysctl_file import SysctlFile
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tmpfiles import Tmpfiles
from kvmnb.tunable.tunable import Tunable
from kvmnb.tunable.udev import Udev

MAX_CHARACTERS = 2000

_CLASSES: tuple[type[Tunable], ...] = (
    DomainLive,
    DomainXml,
    KernelArg,
    LiveDevice,
    LiveIothread,
    LiveSetting,
    Module,
    Mount,
    Ethtool,
    Sriov,
    Sysctl,
    SysctlFile,
    Sysfs,
    Tmpfiles,
    Udev,
)
KINDS: Mapping[str, type[Tunable]] = {kind.kind: kind for kind in _CLASSES}


def parse(text: str, domains: Mapping[str, str]) -> Tunable:
    """The tunable that ``kind:target:path`` names; ``domains`` tells the UUID of each domain's name.

    Raises Refused where the text is not exactly as ``str`` spells it.
    """
    kind, _, rest = text.partition(":")
    target, _, path = rest.partition(":")
    if len(text) > MAX_CHARACTERS or not path:
        raise Refused(f"{text[:120]!r} is not a tunable; the form is kind:target:path")
    if kind not in KINDS:
        raise Refused(f"{text[:120]!r} is of no kind that kvmnb turns")
    try:
        found = KINDS[kind].parse(target, path, domains)
    except Refused:
        raise
    except KvmnbError as problem:
        raise Refused(f"{text[:120]!r} is not a tunable: {problem}") from problem
    if str(found) != text:
        raise Refused(f"{text[:120]!r} is not spelled as kvmnb spells it ({str(found)!r})")
    return found
