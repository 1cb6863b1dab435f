"""Who else sets a host setting: files that a boot reads, and services that write by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from kvmnb.facts.kernel import Owner
from kvmnb.machine.files import Files
from kvmnb.probe.owners import probe_owners
from kvmnb.probe.reader import Reader
from kvmnb.tunable.ethtool import Ethtool
from kvmnb.tunable.module import Module
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysctl_file import SysctlFile, setters
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tmpfiles import Tmpfiles
from kvmnb.tunable.tunable import Tunable
from kvmnb.tunable.udev import Udev

_PLACES = ("etc/{}", "run/{}", "usr/local/lib/{}", "usr/lib/{}", "lib/{}")
_ENDINGS = {"tmpfiles.d": ".conf", "udev/rules.d": ".rules", "modprobe.d": ".conf"}
# The services of kvmnb.probe.owners that write what a path begins with.
_WRITERS = (
    (re.compile(r"devices/system/cpu/cpufreq/"), ("tuned", "power-profiles-daemon")),
    (re.compile(r"kernel/mm/ksm/"), ("ksmtuned",)),
    (re.compile(r"kernel/mm/transparent_hugepage/|block/"), ("tuned",)),
    (re.compile(r"class/net/"), ("NetworkManager",)),
)


class Owners:
    """The other setters of one machine's host settings, looked up when a plan asks for them."""

    def __init__(self, files: Files | None) -> None:
        self._files = files

    def of(self, tunable: Tunable) -> str | None:
        """Who else sets it, in one phrase; None where nobody is known to, or the files cannot be read."""
        if self._files is None:
            return None
        return "; ".join(self._found(tunable, self._files)) or None

    def _found(self, tunable: Tunable, files: Files) -> Iterator[str]:
        match tunable:
            case Sysctl(key=key) | SysctlFile(path=key):
                own = SysctlFile.file.path
                others = [(path, value) for path, value in setters(files, key) if path != own]
                if others:
                    path, value = others[-1]
                    yield f"/{path} sets it to {value} at boot"
                yield from self._services("tuned")
            case Sysfs(path=path) | Tmpfiles(path=path) | Udev(path=path):
                line = rf"^[a-zA-Z+!=~^-]+\s+/sys/{re.escape(path)}\s"
                yield from self._in_files("tmpfiles.d", line, Tmpfiles.file.path)
                attribute = path.partition("/queue/")[2]
                if attribute:
                    yield from self._in_files(
                        "udev/rules.d", rf'^[^#\n]*ATTR\{{queue/{attribute}\}}\s*=\s*"', Udev.file.path
                    )
                if path.startswith("kernel/mm/transparent_hugepage/enabled"):
                    yield from (f"{word} stands on the kernel's command line" for word in self._words_of_boot())
                for pattern, names in _WRITERS:
                    if pattern.match(path):
                        yield from self._services(*names)
            case Module(path=path):
                name, parameter = path.split("/")
                yield from self._in_files("modprobe.d", rf"^options\s+{name}\s.*{parameter}=", Module.file.path)
            case Ethtool():
                yield from self._services("NetworkManager")

    def _services(self, *names: str) -> Iterator[str]:
        for one in self._known:
            if one.name in names and (one.running or (one.running is None and one.installed)):
                profile = f" with the profile {one.profile}" if one.profile else ""
                state = "runs" if one.running else "is installed"
                yield f"{one.name} {state}{profile} and may set it"

    def _in_files(self, kind: str, pattern: str, own: str) -> Iterator[str]:
        assert self._files is not None, "asked only where files are"
        for place in _PLACES:
            folder = place.format(kind)
            try:
                names = self._files.names(folder)
            except OSError:
                # A folder that is not there sets nothing.
                continue
            for name in names:
                path = f"{folder}/{name}"
                if name.endswith(_ENDINGS[kind]) and path != own and re.search(pattern, self._text(path), re.MULTILINE):
                    yield f"/{path} sets it"

    def _text(self, path: str) -> str:
        assert self._files is not None, "asked only where files are"
        try:
            return self._files.read(path)
        except (OSError, ValueError):
            # A dangling link, or text that no reader of it would take either.
            return ""

    def _words_of_boot(self) -> list[str]:
        return [word for word in self._text("proc/cmdline").split() if word.startswith("transparent_hugepage=")]

    @cached_property
    def _known(self) -> tuple[Owner, ...]:
        return probe_owners(Reader(self._files)) if self._files is not None else ()
