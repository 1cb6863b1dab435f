"""What stands in a live chart's place where no kernel runs: the same text on every run."""

from __future__ import annotations

from html import escape

from kvmnb.measure.replay import Replay
from kvmnb.measure.series import Source
from kvmnb.show.live.caption import means
from kvmnb.show.live.trace import Trace, grouped


def as_text(question: str, subject: str, note: str) -> str:
    """One line for a terminal."""
    return f"Live chart of {subject} ({note}): {question}"


def as_html(question: str, subject: str, note: str, traces: tuple[Trace, ...], source: Source) -> str:
    """The question and, of a recording, a table of its means; live numbers differ from run to run."""
    parts = [
        f"<p><strong>{escape(question)}</strong><br>{escape(subject)} · {escape(note)}</p>",
        "<p>This chart moves while its notebook runs; here is no kernel to feed it.</p>",
    ]
    if isinstance(source, Replay):
        frames = [grouped(values) for values in source.recorded()]
        average = means([[trace.value(values) for trace in traces] for values in frames], len(traces))
        body = "".join(
            f"<tr><th scope='row'>{escape(trace.name)}</th><td>{escape(trace.unit.text(mean))}</td></tr>"
            for trace, mean in zip(traces, average, strict=True)
        )
        seconds = source.rows * source.period_seconds
        parts.append(
            f"<table><caption>Means over the {seconds:.0f} recorded seconds</caption><tbody>{body}</tbody></table>"
        )
    return "".join(parts)
