"""The verbs: what a notebook writes and what the command line calls.

A notebook begins with ``here = kvmnb.open()``; the verbs are the methods of ``here``. They are not
functions of ``kvmnb``, since the packages ``kvmnb.plan`` and ``kvmnb.apply`` have those names.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kvmnb.advise import mute_file, registry
from kvmnb.advise.finding import Finding, Safety
from kvmnb.advise.folklore import PREFIX, myth
from kvmnb.advise.intent import Intent
from kvmnb.advise.intent_file import asked, default_path, read_intent
from kvmnb.advise.registry import Audit
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.apply import guard, link, run, shelf
from kvmnb.apply.journal import Journal
from kvmnb.apply.opening import Terms
from kvmnb.apply.progress import Progress, silent
from kvmnb.apply.standing import Standing
from kvmnb.core.errors import KvmnbError, NotAnswered, SourceError, XmlError
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.image import DiskImage
from kvmnb.facts.kernel import Kernel
from kvmnb.facts.load import Load
from kvmnb.facts.storage import BlockDevice
from kvmnb.machine import sources
from kvmnb.machine.commands import RememberedCommands
from kvmnb.machine.given import GivenDomains
from kvmnb.machine.machine import Machine
from kvmnb.measure import neighbourhood
from kvmnb.measure.diagnose.below import devices_below
from kvmnb.measure.diagnose.diagnosis import Diagnosis, diagnose
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.listening import listen
from kvmnb.measure.looks import LOOKS_A_SECOND
from kvmnb.measure.sources import sampler_of
from kvmnb.measure.window import window_of
from kvmnb.plan.build import build
from kvmnb.plan.plan import Change, Plan
from kvmnb.plan.preflight import checked, refuse_stopped
from kvmnb.probe.closer import with_images, with_memory
from kvmnb.probe.inside import Inside, inside, run_inside
from kvmnb.probe.load import probe_load, recorded_load
from kvmnb.probe.survey import Survey, probe
from kvmnb.tunable.tunable import Verdict

if TYPE_CHECKING:
    from kvmnb.measure.recording.recorder import Recorder
    from kvmnb.share.report import Reported
    from kvmnb.show.cards.disk_path import DiskPaths
    from kvmnb.show.charts.disk_latency import DiskLatency
    from kvmnb.show.charts.host_map import HostMap
    from kvmnb.show.charts.hugepages import Hugepages
    from kvmnb.show.charts.memory_map import MemoryMap
    from kvmnb.show.charts.neighbours import Neighbours
    from kvmnb.show.charts.network_path import NetworkPaths
    from kvmnb.show.forms.journal_pane import JournalPane
    from kvmnb.show.forms.tune import TuneForm
    from kvmnb.show.live import LiveChart, TopTable
    from kvmnb.show.nothing import Nothing

T = TypeVar("T")

_opened: list[Here] = []
# A notebook audits in several cells; an image takes some 20 ms to ask for.
ANSWERS_HOLD_SECONDS = 30.0
DIAGNOSIS_SECONDS = 10.0


class Here:
    """One machine, its facts, and the verbs."""

    def __init__(self, machine: Machine, intent: Intent, note: str | None = None) -> None:
        self.machine = machine
        self.intent = intent
        self.note = note
        """What the reader should know of this source, such as why it is the demo host."""
        self._survey: Survey | None = None
        self._answers: tuple[RememberedCommands | None, float] | None = None

    def facts(self, *, fresh: bool = False) -> Survey:
        """The host's and all domains' facts, probed once; ``fresh`` probes again."""
        if self._survey is None or fresh:
            self._survey = probe(self.machine)
        return self._survey

    def load(self, seconds: float) -> Load:
        """The rates over a window that begins now; it takes that long. Of a recording, those that it holds."""
        return probe_load(self.machine, seconds)

    @property
    def host_uuid(self) -> str | None:
        """What plans and journals know the host by; None where it was not seen, and then nothing is applied."""
        try:
            return self.host.uuid
        except NotSeen:
            return None

    def images(self) -> dict[str, tuple[DiskImage, ...]]:
        """The image chain of each guest's disks, by the guest's name; qemu-img is asked once for each image."""
        return {domain.name: domain.images for domain in with_images(self.facts(), self._quick()).domains}

    def closer(self, rules: Sequence[str] | None = None) -> Survey:
        """The facts as they are now, with the images and the places of memory that these rules ask for."""
        survey = self.facts(fresh=True)
        asks = {what for one in registry.rules() if rules is None or one.id in rules for what in one.asks}
        if "images" in asks:
            survey = with_images(survey, self._quick())
        if "memory" in asks:
            survey = with_memory(survey, self.machine)
        return survey

    def _quick(self) -> Machine:
        """The machine whose programs answer a question once in ``ANSWERS_HOLD_SECONDS``."""
        if self._answers is None or time.monotonic() - self._answers[1] > ANSWERS_HOLD_SECONDS:
            asked = RememberedCommands(self.machine.commands) if self.machine.commands is not None else None
            self._answers = asked, time.monotonic()
        return replace(self.machine, commands=self._answers[0])

    @property
    def host(self) -> Host:
        """The host's facts."""
        return self.facts().host

    @property
    def domains(self) -> tuple[Domain, ...]:
        """All domains' facts, by name."""
        return self.facts().domains

    def audit(
        self,
        *domains: str,
        goal: str | None = None,
        rules: Sequence[str] | None = None,
        thresholds: Mapping[str, float] | None = None,
        window: float | None = None,
    ) -> Audit:
        """What the rules find, worst first, on the machine as it is now; all domains unless some are named.

        ``goal`` (such as ``latency+windows``) and ``thresholds`` (by name) hold this one time, in the place of what
        ``kvmnb.toml`` says; see docs/intent.md. Rules that are named here are heard although they are muted.
        Over ``window`` seconds rates are measured first, and of a recording those that it holds are read.
        """
        for rule_id in rules or ():
            registry.rule(rule_id)
        intent = asked(self.intent, goal, thresholds)
        survey = self.closer(rules)
        for name in domains:
            survey.domain(name)
        load = recorded_load(self.machine) if window is None else self.load(window)
        return registry.audit(survey.host, survey.domains, intent, only=rules, judged=domains or None, load=load)

    def mute(self, rule_id: str, *, reason: str, subject: str | None = None, until: date | None = None) -> Intent:
        """Hear a rule's findings no more, for a subject or for all; kept in ``kvmnb.toml``."""
        return self._heard(mute_file.mute(self._file(), rule_id, reason, subject, until))

    def unmute(self, rule_id: str, *, subject: str | None = None) -> Intent:
        """Hear a rule's findings again: what ``mute`` wrote is taken out of ``kvmnb.toml``."""
        return self._heard(mute_file.unmute(self._file(), rule_id, subject))

    def _file(self) -> Path:
        return self.intent.file or default_path()

    def _heard(self, intent: Intent) -> Intent:
        self.intent = replace(self.intent, mutes=intent.mutes)
        return self.intent

    def plan(self, findings: Audit | Finding | Iterable[Finding], *, live_only: bool = False) -> Plan:
        """The plan that follows these findings, with its preflight; nothing is written.

        Of an audit's findings those that wait for another are left out, and the plan names them; findings that
        were chosen one by one are all followed, and Conflict is raised where they disagree. Host settings come with
        their lasting forms, unless ``live_only`` asks for what the next boot takes back.
        """
        if isinstance(findings, Audit):
            plan = build(findings.followed, self.machine, self.host_uuid, live_only=live_only)
            return self._checked(replace(plan, conflicts=tuple(one.told for one in findings.conflicts)))
        listed = [findings] if isinstance(findings, Finding) else list(findings)
        return self._checked(build(listed, self.machine, self.host_uuid, live_only=live_only))

    def apply(
        self,
        plan: Plan,
        *,
        accept_disruptive: bool = False,
        override_owner: bool = False,
        confirm_within: int | None = None,
        began: Callable[[str], None] = lambda journal_id: None,
        progress: Progress = silent,
    ) -> Journal:
        """Carry out a plan whose preflight, asked anew, stops nothing; see ``kvmnb.apply.run.apply_plan``.

        With ``confirm_within`` (seconds, 5 at least) it is taken back unless confirmed in time. Without a word about
        it, that holds for 60 seconds where a change could cut off the operator's own link, and 0 forbids it.
        """
        if confirm_within is None:
            confirm_within = guard.DEFAULT_SECONDS if link.at_risk(plan.changes, self.machine) else 0
        guard.refuse_seconds(confirm_within)
        try:
            return run.apply_plan(
                plan,
                self.machine,
                self.host_uuid,
                accept_disruptive=accept_disruptive,
                terms=Terms(confirm_within or None),
                preflight=lambda: self._refuse_stopped(plan, override_owner=override_owner),
                began=began,
                progress=progress,
            )
        finally:
            self._survey = self._answers = None

    def _checked(self, plan: Plan) -> Plan:
        return checked(plan, self.machine, self.facts())

    def _refuse_stopped(self, plan: Plan, *, override_owner: bool) -> None:
        self.facts(fresh=True)
        refuse_stopped(self._checked(plan), override_owner=override_owner)

    def verify(self, plan: Plan | Journal) -> tuple[tuple[Change, Verdict], ...]:
        """Whether each change of a plan, or of a journal, is in force."""
        changes = plan.changes if isinstance(plan, Plan) else changes_of(plan)
        return run.verify_changes(changes, self.machine)

    def undo(
        self,
        journal: Journal | str = "last",
        *,
        only: Sequence[str] = (),
        take_drifted: bool = False,
        progress: Progress = silent,
    ) -> tuple[Standing, ...]:
        """Take back what stands of a journal (an id, or the last one of this machine), or these tunables of it."""
        found = journal if isinstance(journal, Journal) else self.journal(journal)
        try:
            return run.undo_plan(
                found, self.machine, self.host_uuid, only=only, take_drifted=take_drifted, progress=progress
            )
        finally:
            self._survey = self._answers = None

    def confirm(self, journal: Journal, *, progress: Progress = silent) -> Journal:
        """Keep a plan that waits to be confirmed, and write its lasting part."""
        try:
            return run.confirm_plan(journal, self.machine, self.host_uuid, progress=progress)
        finally:
            self._survey = self._answers = None

    def resume(self, journal: Journal, *, progress: Progress = silent) -> Journal:
        """Bring a plan that was left half-way to its end, forward or back."""
        try:
            return run.resume_plan(journal, self.machine, self.host_uuid, progress=progress)
        finally:
            self._survey = self._answers = None

    def journals(self) -> tuple[Journal, ...]:
        """This machine's journals, the newest first."""
        mine = (self.machine.origin, self.host_uuid)
        return tuple(one for one in shelf.journals() if (one.opening.origin, one.opening.host_uuid) == mine)

    def journal(self, journal_id: str = "last") -> Journal:
        """A journal by its id; ``last`` is the newest of this machine that has something to take back."""
        if journal_id != "last":
            return shelf.find(journal_id)
        for one in self.journals():
            if one.standing():
                return one
        raise KvmnbError(
            f"there is nothing to take back on {self.machine.title}: no journal of it has a change that stands"
        )

    def map(self) -> HostMap:
        """The host map: which guest's vCPU may run on which CPU."""
        from kvmnb.show.charts.host_map import HostMap

        try:
            housekeeping = View(self.host, self.domains, self.intent).placement.housekeeping
        except NotSeen:
            housekeeping = None
        return HostMap(self.host, self.domains, housekeeping)

    def memory_map(self) -> MemoryMap:
        """What the memory of each NUMA node is used for, and by which guest; a walk over their page tables."""
        from kvmnb.show.charts.memory_map import MemoryMap

        survey = with_memory(self.facts(fresh=True), self.machine)
        return MemoryMap(survey.host, survey.domains)

    def pools(self) -> Hugepages:
        """The pools of hugepages, and what guests ask of them at their next start."""
        from kvmnb.show.charts.hugepages import Hugepages

        return Hugepages(self.facts(fresh=True).host, self.domains)

    def paths(self, domain: Domain | Nothing | str | None = None) -> NetworkPaths | Nothing:
        """The way of each interface's packets out of the host, hop by hop: of one guest, or of all."""
        from kvmnb.show.charts.network_path import NetworkPaths

        if not self.domains:
            return _no_guest(self.machine)
        found = self.audit(rules=self.rules("net")).findings
        name = domain if isinstance(domain, str) else getattr(domain, "name", None)
        chosen = self.domains if name is None else (self.facts().domain(name),)
        return NetworkPaths(self.host, chosen, found, [one.name for one in self.domains])

    def kernel(self) -> Kernel | Nothing:
        """How the host's kernel treats memory, as it is now; where that was not seen, a sentence that says so."""
        return _or_nothing(lambda: self.facts(fresh=True).host.kernel)

    def blocks(self) -> tuple[BlockDevice, ...] | Nothing:
        """The host's block devices, as they are now; where none was seen, a sentence that says so."""
        return _or_nothing(lambda: self.facts(fresh=True).host.blocks) or _no_block(self.machine)

    def disks(self, domain: Domain | Nothing | str | None = None) -> DiskPaths | tuple[DiskPaths, ...] | Nothing:
        """The way of a guest's disks, layer by layer down to the medium, images included; of all guests in brief."""
        from kvmnb.show.cards.disk_path import DiskPaths

        if isinstance(domain, str):
            domain = self.facts().domain(domain)
        survey = with_images(self.facts(), self._quick())
        if isinstance(domain, Domain):
            return DiskPaths(survey.host, survey.domain(domain.name))
        if domain is not None:
            return domain
        return tuple(DiskPaths(survey.host, one) for one in survey.domains) or _no_guest(self.machine)

    def latency(self, domain: Domain | Nothing | str | None = None, *, seconds: float = 10.0) -> DiskLatency | Nothing:
        """How long requests of a guest's disks take, over a window that begins now; it takes that long."""
        from kvmnb.show.charts.disk_latency import DiskLatency, latency_of

        chosen = self.guest(domain) if domain is None or isinstance(domain, str) else domain
        if not isinstance(chosen, Domain):
            return chosen
        names = [one.name for one in self.domains]
        try:
            sampler = sampler_of(self.machine)
            frames = listen(sampler, seconds)
        except NotAnswered as problem:
            return DiskLatency(chosen.name, names, (), seconds, str(problem).rstrip("."))
        return latency_of(chosen.name, chosen.uuid, names, frames, seconds, sampler.source.title_note)

    def guests(self) -> tuple[Domain, ...] | Nothing:
        """All guests, by name; where there is none, a sentence that says so."""
        return self.domains or _no_guest(self.machine)

    def guest(self, name: str | None = None) -> Domain | Nothing:
        """The guest of this name; without one, the running guest with the worst finding, else the first there is."""
        if name is not None:
            return self.facts().domain(name)
        findings = self.audit().findings
        running = {domain.name: domain for domain in self.domains if domain.running}
        found = (running[one.domain] for one in findings if one.domain in running)
        first = next(iter((*running.values(), *self.domains)), None)
        return next(found, first) or _no_guest(self.machine)

    def worst(self, count: int = 3, *, goal: str | None = None) -> tuple[Finding, ...] | Nothing:
        """The worst findings of an audit; where nothing was found, a sentence that says so."""
        found = self.audit(goal=goal)
        return found.findings[:count] or _no_finding(found)

    def rules(self, *areas: str) -> tuple[str, ...]:
        """The ids of the rules of these areas (``cpu``, ``numa``, ...); of all where none is named."""
        return tuple(one.id for one in registry.rules() if not areas or one.area in areas)

    def explain(self, name: str) -> Rule:
        """The rule of this id, or the myth of this name (``myth.noop``), to read in a notebook."""
        return myth(name) if name.startswith(PREFIX) else registry.rule(name)

    def watch(
        self, domain: Domain | Nothing | str | None = None, what: str = "cpu", *, period: float | None = None
    ) -> LiveChart | Nothing:
        """A live chart that answers one question, in the cell that asks; running the cell again begins anew.

        Of a guest, by name or facts (without one, the guest that ``guest`` chooses): ``cpu`` (do its vCPUs run or
        wait), ``disk`` (requests, bytes, latency), ``network`` (packets, bytes, drops), ``memory``. Of all guests:
        ``guests`` (who takes the CPU, who waits). Of the host: ``host.cpu`` (by kind), ``host.pressure``,
        ``host.disk``, ``host.network``. Or any metric of docs/metrics.md by its name. ``period`` is in seconds.
        """
        from kvmnb.show.live import live_chart
        from kvmnb.show.live.questions import question

        if question(what).of != "guest" and domain is None:
            return live_chart(self.machine, None, what, period=period)
        chosen = self.guest(domain) if domain is None or isinstance(domain, str) else domain
        return live_chart(self.machine, chosen, what, period=period) if isinstance(chosen, Domain) else chosen

    def top(self, *, period: float | None = None) -> TopTable:
        """A live table of the running guests, sorted by a click on a title; a guest's name opens its card and chart."""
        from kvmnb.show.live import TopTable

        return TopTable(self.machine, period=period)

    def diagnose(self, seconds: float | None = None) -> Diagnosis | Nothing:
        """What is slow, on what, and who causes it, over a window that begins now (10 s); it takes that long.

        Of a recording of series: over its last ``seconds``, by default an hour; at once. Where the machine has no
        series, the sentence that says why.
        """
        if self.machine.series is not None:
            from kvmnb.measure.recording.session import diagnose_recording

            return diagnose_recording(self.machine.series, seconds)
        survey = self.facts(fresh=True)
        try:
            sampler = sampler_of(self.machine)
        except NotAnswered as problem:
            return _nothing(str(problem))
        window = DIAGNOSIS_SECONDS if seconds is None else seconds
        frames, matrix = neighbourhood.heard(self.machine, sampler, window)
        running = {one.uuid: one.name for one in survey.domains if one.running}
        return diagnose(Signals(window_of(frames), running, devices_below(survey.host, survey.domains), matrix))

    def record(self, file: str | Path, *, period: float | None = None, replace: bool = False) -> Recorder:
        """Record all series into one file, beside whatever charts there are, till its ``stop()`` or a ``with`` ends.

        ``period`` is in seconds. Refused where the file exists, unless it is such a recording and ``replace`` is given.
        See docs/recording.md for what it holds; guests' names are in it.
        """
        from kvmnb.measure.recording import session

        return session.record(self.machine, self.facts(), Path(file), period=period, instead=replace)

    def replay(self, file: str | Path) -> Here:
        """A recording of series as a machine: its charts, its table of guests, its diagnosis; all else is a gap."""
        return open(recorded=file)

    def neighbours(self, seconds: float = 5.0, *, a_second: float = LOOKS_A_SECOND) -> Neighbours:
        """Who takes whose CPU, over a window that begins now; it takes that long.

        On this host all busy threads are looked at ``a_second`` times a second; elsewhere the series tell it as far as
        they hold it, and what is missing is said.
        """
        from kvmnb.show.charts.neighbours import Neighbours

        names = {one.uuid: one.name for one in self.facts().domains}
        return Neighbours(neighbourhood.matrix_of(self.machine, seconds, a_second), names)

    def report(
        self,
        out: str | Path,
        *,
        names: bool = False,
        since: str | Path | None = None,
        seconds: float = 10.0,
        notebook: str | Path | None = None,
    ) -> Reported:
        """Write one HTML file of this machine that may be given away; see ``kvmnb.share.report``.

        A name that ends in ``.ipynb`` gives the notebook 90-report, run on the scrubbed host; ``notebook`` another one.
        """
        from kvmnb.share.report import Wishes, report

        wishes = Wishes(
            names=names,
            since=None if since is None else Path(since),
            seconds=seconds,
            notebook=None if notebook is None else Path(notebook),
        )
        return report(self.machine, self.intent, self.journals(), Path(out), wishes)

    def inside(self, name: str | None = None) -> Inside | Nothing:
        """What the agent in a guest tells of its system, and what was not asked, with the command to run inside.

        Only libvirt's typed questions are asked, which do not taint the guest. Without a name, of ``guest()``.
        """
        chosen = self.guest(name)
        return inside(self.machine, chosen) if isinstance(chosen, Domain) else chosen

    def run_inside(self, name: str) -> Inside:
        """Have the agent of this guest run the commands that ``inside`` leaves to you, and show what they tell.

        They only read, but they run in the guest as its administrator, and libvirt counts the guest as tainted
        (``custom-ga-command``) until it is stopped. Nothing of kvmnb calls this by itself. It takes some ten seconds.
        """
        return run_inside(self.machine, self.facts().domain(name))

    def tune(self, *domains: str, goal: str | None = None, rules: Sequence[str] | None = None) -> TuneForm:
        """The form that previews and, by a person's click, applies what the rules want."""
        from kvmnb.show.forms.tune import TuneForm

        return TuneForm(self, domains, goal=goal, rules=rules)

    def journal_pane(self) -> JournalPane:
        """What was changed on this machine and what of it stands, to settle or take back by a person's click."""
        from kvmnb.show.forms.journal_pane import JournalPane

        return JournalPane(self)


def open(
    uri: str | None = None,
    *,
    recorded: str | Path | None = None,
    demo: bool = False,
    goal: str | None = None,
) -> Here:
    """Open a machine for a notebook: a URI, a recording, or the demo host.

    Without any, ``KVMNB_HOST`` decides (``demo``, a recording's folder, or a URI), else the default
    libvirt connection; where no hypervisor is installed at all, the demo host opens and says so.
    """
    note = None
    chosen = os.environ.get("KVMNB_HOST", "")
    if uri is None and recorded is None and not demo:
        if chosen == "demo":
            demo = True
        elif chosen and os.path.exists(chosen):
            recorded = chosen
        elif chosen:
            uri = chosen
        elif not os.environ.get("LIBVIRT_DEFAULT_URI") and not sources.hypervisor_installed():
            demo, note = True, "No hypervisor is installed here, so this is the demo host."
    here = Here(open_machine(uri=uri, recorded=recorded, demo=demo), read_intent(goal), note)
    _opened.append(here)
    _register_display()
    return here


def open_machine(
    *,
    uri: str | None = None,
    recorded: str | Path | None = None,
    root: str | Path | None = None,
    demo: bool = False,
    demo_reset: bool = False,
) -> Machine:
    """The machine that the source options name; at most one of them may be given."""
    given = [
        name for name, value in (("--uri", uri), ("--recorded", recorded), ("--root", root), ("--demo", demo)) if value
    ]
    if len(given) > 1:
        raise KvmnbError(f"{' and '.join(given)} name different sources; give one of them")
    if demo or demo_reset:
        return sources.demo(reset=demo_reset)
    if recorded is not None:
        return _recorded(Path(recorded))
    if root is not None:
        return sources.tree(root)
    if uri is None and not os.environ.get("LIBVIRT_DEFAULT_URI") and not sources.hypervisor_installed():
        raise SourceError(
            "no hypervisor is installed here; look at the demo host with --demo, or name a host with --uri"
        )
    return _reached(sources.live(uri))


def _recorded(path: Path) -> Machine:
    """A recorded host, or a recording of series."""
    from kvmnb.measure.recording import kinds

    if not kinds.is_series(path):
        return sources.recorded(path)
    from kvmnb.measure.recording.playing import machine_of

    return machine_of(path)


def _reached(machine: Machine) -> Machine:
    """A live machine that answers; SourceError with the reason where nothing of it was reached."""
    if machine.hypervisor is None:
        raise SourceError(f"{machine.title}: {machine.files_gap}")
    return machine


def reopen(kind: str, origin: str) -> Here:
    """The machine that a plan or journal names by its kind and origin."""
    machine = sources.reopened(kind, origin)
    return Here(machine if origin == sources.HOST_ALONE else _reached(machine), read_intent())


def with_domains(machine: Machine, files: Sequence[Path]) -> Machine:
    """The machine with the domains of these XML files in the place of its own."""
    texts: dict[str, str] = {}
    for path in files:
        if str(path) in texts:
            raise KvmnbError(f"{path} is given twice")
        texts[str(path)] = read_xml(path)
    return replace(machine, hypervisor=GivenDomains(texts, machine.hypervisor))


def read_xml(path: Path) -> str:
    """A domain XML file's text; KvmnbError where it cannot be read."""
    from kvmnb.core.xml import decode

    try:
        text, _encoding = decode(path.read_bytes())
    except OSError as problem:
        raise KvmnbError(f"reading the domain XML {path}: {problem.strerror}") from problem
    except XmlError as problem:
        raise XmlError(f"{path}: {problem}") from problem
    return text


def changes_of(journal: Journal) -> tuple[Change, ...]:
    """The changes that a journal announced, as it wrote them."""
    from kvmnb.tunable import names

    return tuple(
        Change(
            tunable=names.parse(value.tunable, journal.opening.domains),
            before=value.before,
            after=value.after,
            safety=Safety.SAFE,
            owner=None,
            why=(),
        )
        for value in journal.announced()
    )


def close() -> None:
    """Let go of every machine, chart and thread that notebooks opened."""
    import sys

    if "kvmnb.measure.recording.session" in sys.modules:
        from kvmnb.measure.recording.session import close_recorders

        close_recorders()
    if "kvmnb.show.live" in sys.modules:
        from kvmnb.show.live import close_all

        close_all()
    if "kvmnb.show.forms.desk" in sys.modules:
        from kvmnb.show.forms import desk

        desk.close_all()
    while _opened:
        _opened.pop().machine.close()


def _no_guest(machine: Machine) -> Nothing:
    return _nothing(
        f"There is no guest on {machine.title}, so there is nothing to show here. Make one and open the notebook again."
    )


def _no_block(machine: Machine) -> Nothing:
    from kvmnb.show.nothing import Nothing

    return Nothing(f"No block device is seen on {machine.title}.")


def _or_nothing(read: Callable[[], T]) -> T | Nothing:
    """A fact, or a sentence in its place that says why it was not seen."""
    from kvmnb.show.nothing import Nothing

    try:
        return read()
    except NotSeen as unseen:
        return Nothing(f"This could not be read here: {unseen.gap.reason}.")


def _no_finding(found: Audit) -> Nothing:
    unjudged = f"; {len(found.not_checked)} could not be made" if found.not_checked else ""
    return _nothing(f"Nothing was found by the {len(found.checked)} judgements that were made{unjudged}.")


def _nothing(sentence: str) -> Nothing:
    from kvmnb.show.nothing import Nothing

    return Nothing(sentence)


def _register_display() -> None:
    """Tell IPython how values look, where there is one."""
    import sys

    if "IPython" in sys.modules:
        from kvmnb.show.display import register

        register()
