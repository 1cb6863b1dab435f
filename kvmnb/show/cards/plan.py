"""The card of a plan: now, wanted, what differs, when, what it costs, how to undo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from kvmnb.advise.finding import Safety
from kvmnb.plan.check import Outcome
from kvmnb.plan.plan import Change, Plan
from kvmnb.show import template, words
from kvmnb.tunable.tunable import Undo, When


def html(plan: Plan) -> str:
    """The card as one output."""
    return template.enclose(fragment(plan))


def fragment(plan: Plan, *, open_diffs: bool = True) -> str:
    """The card to stand inside another output."""
    return template.fragment(
        "plan",
        plan=plan,
        headline=headline(plan),
        groups=groups(plan.changes),
        effects=effects(plan.changes),
        costs=costs(plan.changes),
        undos=undos(plan.changes),
        owners=list(dict.fromkeys(change.owner for change in plan.changes if change.owner)),
        told=[check for check in plan.checks if check.outcome is not Outcome.PASSED],
        passed=[check for check in plan.checks if check.outcome is Outcome.PASSED],
        open=open_diffs,
    )


def text(plan: Plan) -> str:
    """The card as lines: the headline, then one line for each change."""
    lines = [
        f"{change.tunable}: {words.shown(change.before)} -> {words.shown(change.after)} ({change.when.value})"
        for change in plan.changes
    ]
    return "\n".join([headline(plan), *lines])


def headline(plan: Plan) -> str:
    """How many changes, on what, how safe."""
    if not plan.changes:
        return "Nothing to change: what is wanted already holds, or must be done by hand"
    targets = dict.fromkeys(change.tunable.target for change in plan.changes)
    on = words.listed(["this host" if target == "host" else f"guest {target}" for target in targets])
    counted = Counter(change.safety for change in plan.changes)
    safety = words.listed([f"{counted[one]} {one.value}" for one in Safety if counted[one]])
    return f"Plan: {words.plural(len(plan.changes), 'change')} on {on} ({safety})"


def groups(changes: Iterable[Change]) -> list[tuple[str, list[Change]]]:
    """The changes below a line that says where they are, when they take effect and how they are undone."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        target, layer = change.tunable.target, words.layer(change.tunable)
        where = {"host": "This host", "running guest": f"Running guest {target}"}.get(
            layer, f"Persistent XML of {target}"
        )
        title = f"{where}: takes effect {words.EFFECT_BRIEF[change.when]}; undo {change.undo.value}"
        found.setdefault(title, []).append(change)
    return list(found.items())


def effects(changes: Iterable[Change]) -> list[str]:
    """When how many of the changes take effect."""
    counted = Counter(change.when for change in changes)
    lines = [f"{words.plural(counted[when], 'setting')}: {words.EFFECT[when]}" for when in When if counted[when]]
    if counted[When.GUEST_START]:
        lines.append("A reboot inside the guest keeps its QEMU process: shut it down and start it.")
    return lines


def costs(changes: Iterable[Change]) -> list[str]:
    """Each cost once."""
    return list(dict.fromkeys(cost for change in changes for cost in change.costs))


def undos(changes: Iterable[Change]) -> list[str]:
    """How the changes are taken back, each way once."""
    counted: Mapping[Undo, int] = Counter(change.undo for change in changes)
    return [f"{words.plural(counted[undo], 'setting')}: {words.UNDO[undo]}" for undo in Undo if counted.get(undo)]
