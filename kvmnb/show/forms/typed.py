"""Values that a person typed in the place of wanted ones, checked as they are typed; nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kvmnb.advise.finding import Finding
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.gap import NotSeen
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.judge import schema_problem
from kvmnb.machine.machine import Machine
from kvmnb.show.forms.verbs import Verbs
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml, edited
from kvmnb.tunable.tunable import Tunable, Want

# A longer value is an element with children, which nobody types into one line.
_LONGEST = 120
_PIN = re.compile(r"(?:^|/)(?:vcpupin|emulatorpin|iothreadpin)(?:\[[^\]]*\])?(?:/@cpuset)?$")


class TypedValues:
    """The values by the setting that they are typed for, and what stands against them."""

    def __init__(self, here: Verbs) -> None:
        self._here = here
        self._texts: dict[Tunable, str] = {}
        self.problems: dict[Tunable, str] = {}

    def offered(self, findings: Iterable[Finding]) -> list[Want]:
        """What these findings want that can be typed in one line, each setting once, as it is wanted.

        A pin that is wanted live and in the configuration is typed once, as the live one.
        """
        found: dict[Tunable, Want] = {}
        for finding in findings:
            for want in finding.wants:
                if want.value is not None and len(want.value) <= _LONGEST and "\n" not in want.value:
                    found.setdefault(want.tunable, want)
        twins = {_twin(tunable) for tunable in found}
        return [want for tunable, want in found.items() if tunable not in twins]

    def both(self, want: Want, findings: Iterable[Finding]) -> bool:
        """Whether what is typed for a live pin is set in the configuration too."""
        return any(one.tunable == _twin(want.tunable) for finding in findings for one in finding.wants)

    def text(self, want: Want) -> str:
        """What stands in the box of a want."""
        return self._texts.get(want.tunable, want.value or "")

    def put(self, want: Want, text: str, findings: Sequence[Finding]) -> str | None:
        """Take what was typed; what stands against it, as a sentence, is also kept in ``problems``."""
        self.problems.pop(want.tunable, None)
        if text == want.value:
            self._texts.pop(want.tunable, None)
            return None
        self._texts[want.tunable] = text
        try:
            self._check(want.tunable, text, findings)
        except (KvmnbError, NotSeen) as problem:
            self.problems[want.tunable] = said = str(problem)
            return said
        return None

    def keep_only(self, findings: Iterable[Finding]) -> None:
        """Forget what was typed for a setting that these findings do not want."""
        wanted = {want.tunable for finding in findings for want in finding.wants}
        for known in (self._texts, self.problems):
            for tunable in [one for one in known if one not in wanted]:
                del known[tunable]

    def within(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings with what was typed in the place of what they want."""
        typed = self._texts | {twin: text for one, text in self._texts.items() if (twin := _twin(one)) is not None}
        return [
            replace(one, wants=tuple(Want(want.tunable, typed.get(want.tunable, want.value)) for want in one.wants))
            if any(want.tunable in typed for want in one.wants)
            else one
            for one in findings
        ]

    def _check(self, tunable: Tunable, text: str, findings: Sequence[Finding]) -> None:
        path = str(getattr(tunable, "path", ""))
        if tunable.kind == "sysfs":
            # Before the form of the value is judged: the kernel's own list tells a reader what to type.
            _check_choice(self._here.machine, path, text)
        tunable.check(text)
        if _PIN.search(path):
            _check_cpus(text, self._here.facts().host.online)
        lasting = _twin(tunable) or tunable
        if isinstance(lasting, DomainXml):
            wants = [want for one in self.within(findings) for want in one.wants]
            _check_schema(self._here.machine, lasting, wants)


def _twin(tunable: Tunable) -> DomainXml | None:
    """The place in the configuration that keeps a live pin."""
    if not isinstance(tunable, DomainLive):
        return None
    return DomainXml(tunable.domain, tunable.uuid, f"cputune/{tunable.path}/@cpuset")


def _check_cpus(text: str, online: CpuSet) -> None:
    absent = CpuSet.parse(text) - online
    if absent:
        raise KvmnbError(f"this host has no CPU {absent} online; it has {online}")


def _check_choice(machine: Machine, path: str, text: str) -> None:
    """Where the kernel lists what it takes, as a scheduler file does (``none [mq-deadline]``), one of these."""
    if machine.files is None:
        return
    try:
        words = machine.files.read(f"sys/{path}").split()
    except (OSError, ValueError):
        # Where it cannot be read, the plan says so.
        return
    choices = [word.strip("[]") for word in words]
    if any(word.startswith("[") for word in words) and text not in choices:
        raise KvmnbError(f"this kernel takes {', '.join(choices)} for /sys/{path}")


def _check_schema(machine: Machine, tunable: DomainXml, wants: Iterable[Want]) -> None:
    """The domain's XML with all that is wanted of it, by the schema of the libvirt that is installed here."""
    before = machine.libvirt.xml(tunable.uuid, Layer.PERSISTENT)
    values = {one.tunable: one.value for one in wants if isinstance(one.tunable, DomainXml)}
    after = edited(before, [(one, value) for one, value in values.items() if one.uuid == tunable.uuid]).text
    problem = schema_problem(after)
    if problem is not None and schema_problem(before) is None:
        raise KvmnbError(f"libvirt's schema refuses it: {problem}")
