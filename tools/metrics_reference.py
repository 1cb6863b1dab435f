"""The reference page of all metrics, from the table in ``kvmnb.measure.metrics``."""

from __future__ import annotations

from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import GROUPS, METRICS

HEAD = f"""# Metrics

What kvmnb measures while it watches a host: {len(METRICS)} metrics. A series is one metric of one guest or of the host;
its label tells it from its siblings. A series of a counter holds the rate per second; so a counter of seconds reads as
seconds per second, which is a share of one CPU or of the time.

The period is the one by default, in seconds from one reading to the next. What is read at every tick follows the
tick's period; what libvirt is asked for takes turns over the guests, so its period grows with their number, and the
guest that is looked at goes first. Every value comes with the period it was read at.
"""

COLUMNS = "| name | kind, unit | label | period | what it is | source | cost |\n|---|---|---|---|---|---|---|\n"


def metrics_page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for group in GROUPS:
        title, _, rest = (group.__doc__ or "").strip().partition("\n\n")
        words = "\n\n".join(" ".join(part.split()) for part in (title, rest) if part)
        name = group.__name__.rpartition(".")[2].replace("_", " ")
        parts.append(f"\n## {name}\n\n{words}\n\n{COLUMNS}")
        parts += (_row(one) for one in group.METRICS)
    return "".join(parts)


def _row(one: Metric) -> str:
    cells = (
        f"`{one.name}`",
        f"{one.kind}, {one.unit}",
        one.label,
        f"{one.period:g} s",
        one.help,
        f"`{one.source}`" if "`" not in one.source else one.source,
        one.cost,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
