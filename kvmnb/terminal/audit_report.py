"""An audit as text: short enough for a minute, or whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from textwrap import shorten

from kvmnb.advise.finding import Finding, Safety, Severity
from kvmnb.advise.folklore import PREFIX
from kvmnb.advise.registry import Audit
from kvmnb.core.xml import mask
from kvmnb.terminal.words import headed, name_of, paragraph, safe, subject_of

WHEN = {"now": "now", "guest_start": "at the guest's next start", "host_boot": "at the host's next boot"}
# The gravest patterns are told with what was seen; the others in one line each.
TOLD = (Severity.CRITICAL, Severity.HIGH)
NAMED = 4
REASONS = 6
LONGEST = 200
_INDENT = " " * 9


def report(audit: Audit) -> str:
    """What a person reads in a minute: each pattern once, with all guests that show it."""
    lines = [*_counts(audit)]
    for group in _groups(audit.findings):
        if group[0].severity in TOLD:
            lines.extend(("", *_told(group)))
    brief = [group for group in _groups(audit.findings) if group[0].severity not in TOLD]
    if brief:
        lines.extend(("", *(_brief(group) for group in brief)))
    lines.extend(("", *_conflicts(audit), *_healthy(audit), *_not_checked(audit), *_muted(audit)))
    lines.extend(("", *_next(audit)))
    return "\n".join(lines)


def everything(audit: Audit) -> str:
    """Every finding, every judgement and every reason, one by one."""
    lines = [*_counts(audit)]
    for finding in audit.findings:
        lines.extend(("", *_whole(finding)))
    lines.append("")
    for one in audit.conflicts:
        lines.append(paragraph(f"Conflict: {mask(one.told)}", hanging="  "))
    by_rule = Counter(rule_id for rule_id, _ in audit.checked)
    lines.append(f"Healthy: {len(audit.checked)} judgements found nothing")
    lines.extend(paragraph(f"{rule_id} {count}", "  ") for rule_id, count in sorted(by_rule.items()))
    if audit.not_checked:
        lines.append(f"Not checked: {len(audit.not_checked)}")
        lines.extend(
            paragraph(f"{one.id}, {subject_of(one.subject)}: {one.reason}", "  ", "  ") for one in audit.not_checked
        )
    lines.extend(_muted(audit))
    lines.extend(("", *_next(audit)))
    return "\n".join(lines)


def _counts(audit: Audit) -> Iterator[str]:
    goal = audit.aim
    if not audit.findings:
        yield f"Nothing found for the goal {goal}."
        return
    counts = Counter(finding.severity for finding in audit.findings)
    said = ", ".join(f"{counts[word]} {word.value}" for word in Severity if counts[word])
    patterns = len({finding.id for finding in audit.findings})
    yield f"{len(audit.findings)} findings of {patterns} patterns for the goal {goal}: {said}."
    yield ""
    yield "        " + "".join(f"{word.value:>10}" for word in Severity)
    areas: dict[str, Counter[Severity]] = {}
    for finding in audit.findings:
        areas.setdefault(finding.id.partition(".")[0], Counter())[finding.severity] += 1
    for area, found in sorted(areas.items()):
        yield f"  {area:<6}" + "".join(f"{found[word] or '.':>10}" for word in Severity)


def _groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """The findings of each rule and severity, in the order of the first of each."""
    groups: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.id, finding.severity), []).append(finding)
    return list(groups.values())


def _told(group: list[Finding]) -> Iterator[str]:
    first = group[0]
    yield headed(first.severity, f"{first.title} [{first.id}]")
    yield paragraph(f"on {_names(group)}", _INDENT, _INDENT)
    example = f"for example {_name(first)}: " if len(group) > 1 else ""
    yield paragraph(f"{example}{first.saw}", _INDENT, _INDENT)
    yield paragraph(f"{_way(group)}; expected effect {first.effect.value}", _INDENT, _INDENT)


def _brief(group: list[Finding]) -> str:
    first = group[0]
    return headed(first.severity, f"{first.title} [{first.id}]: {_names(group)} ({_way(group)})")


def _names(group: Iterable[Finding]) -> str:
    """The guests that show a pattern; the host's own subjects by their names."""
    names = list(dict.fromkeys(_name(finding) for finding in group))
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _name(finding: Finding) -> str:
    return name_of(finding.domain) if finding.domain is not None else subject_of(finding.subject)


def _way(group: Iterable[Finding]) -> str:
    """How it can be followed, for each kind of cost."""
    if all(finding.id.startswith(PREFIX) for finding in group):
        return "nothing to do"
    ways = Counter((finding.safety, "" if not finding.wants else WHEN[finding.when.value]) for finding in group)
    said = [" ".join(part for part in (safety.value, when) if part) for safety, when in ways]
    return ", ".join(said)


def _whole(finding: Finding) -> Iterator[str]:
    yield headed(finding.severity, f"{_name(finding)}: {finding.title} [{finding.id}]")
    texts = [finding.saw]
    if finding.id.startswith(PREFIX):
        texts.extend(finding.by_hand)
    else:
        effect = f", takes effect {WHEN[finding.when.value]}" if finding.wants else ", by hand"
        texts.append(f"{finding.safety.value}{effect}; expected effect {finding.effect.value}, {finding.sure.value}")
        texts.extend(finding.costs)
    for text in (*texts, *((finding.note,) if finding.note else ())):
        yield paragraph(text, _INDENT, _INDENT)


def _conflicts(audit: Audit) -> Iterator[str]:
    pairs: dict[tuple[str, str, str, str], int] = Counter(
        (one.followed.id, one.waits.id, one.about, one.reason) for one in audit.conflicts
    )
    if pairs:
        yield f"Conflicts: {len(audit.conflicts)}; a plan of all follows the first and leaves the second for now"
    for (first, second, about, reason), count in pairs.items():
        often = f" ({count} times)" if count > 1 else ""
        yield paragraph(f"{first} before {second}{often}, about {mask(about)}: {reason}", "  ", "  ")


def _healthy(audit: Audit) -> Iterator[str]:
    found = {finding.id for finding in audit.findings} | {one.id for one in audit.not_checked}
    clean = {rule_id for rule_id, _ in audit.checked if not rule_id.startswith(PREFIX)} - found
    areas = Counter(rule_id.partition(".")[0] for rule_id, _ in audit.checked)
    said = ", ".join(f"{area} {count}" for area, count in sorted(areas.items()))
    yield paragraph(
        f"Healthy: {len(audit.checked)} judgements found nothing ({said or 'none was made'}).", hanging="  "
    )
    if clean:
        yield paragraph(f"In order throughout: {', '.join(sorted(clean))}.", "  ", "  ")


def _not_checked(audit: Audit) -> Iterator[str]:
    if not audit.not_checked:
        return
    reasons: dict[str, list[str]] = {}
    for one in audit.not_checked:
        # The reason stands behind the fact that was missed, which differs from guest to guest; one is enough here.
        reason = (one.reason.partition(": ")[2] or one.reason).partition("; ")[0]
        reasons.setdefault(shorten(safe(reason), LONGEST, placeholder=" ..."), []).append(one.id)
    yield f"Not checked: {len(audit.not_checked)}"
    ordered = sorted(reasons.items(), key=lambda pair: -len(pair[1]))
    for reason, ids in ordered[:REASONS]:
        often = f" ({len(ids)} times)" if len(ids) > 1 else ""
        yield paragraph(f"{', '.join(dict.fromkeys(ids))}{often}: {reason}", "  ", "  ")
    if len(ordered) > REASONS:
        yield f"  and {len(ordered) - REASONS} more reasons, told by --all"


def _muted(audit: Audit) -> Iterator[str]:
    if audit.muted:
        yield f"Muted in kvmnb.toml: {len(audit.muted)}"
    for one in audit.muted:
        until = f", until {one.mute.until}" if one.mute.until is not None else ""
        subject = subject_of(one.finding.subject)
        yield paragraph(f"{one.finding.id}, {subject}: {safe(one.mute.reason)}{until}", "  ", "  ")


def _next(audit: Audit) -> Iterator[str]:
    followed = audit.followed
    yield "What next:"
    if audit.findings:
        yield f"  kvmnb rule {audit.findings[0].id}  # why the first of these matters, and when to leave it"
    safe_ones = sum(finding.safety is Safety.SAFE for finding in followed)
    if any(finding.wants for finding in followed):
        yield "  kvmnb plan --rule ID  # what one of them would change, with its cost and its undo"
        yield f"  kvmnb plan --all  # all that can be changed from here; {safe_ones} cost nothing"
    if any(finding.id.startswith(PREFIX) for finding in audit.findings):
        yield "  kvmnb myths  # well-known advice that does not hold"
    yield "  kvmnb audit --all  # every finding, judgement and reason"
