"""The card of a diagnosis names what is slow, who causes it, what to do, and what nobody could measure."""

from __future__ import annotations

from html.parser import HTMLParser

from kvmnb.advise.finding import NotChecked, Severity
from kvmnb.measure.diagnose.diagnosis import Diagnosis, Symptom
from kvmnb.show.cards import diagnosis
from kvmnb.tunable.spelling import percent_encode
from tests.show.conftest import HOSTILE

WAITS = Symptom(
    id="diag.cpu.run_delay",
    subject=f"domain/{percent_encode(HOSTILE)}/vcpu/1",
    domain=HOSTILE,
    severity=Severity.HIGH,
    title="vCPUs are ready to run and have no CPU",
    saw=f"vCPU 1 of {HOSTILE} waits 81% of the time",
    culprits=(f"guest {HOSTILE}",),
    answers=("cpu.overcommit",),
    refuted_by="Steal at 0",
    sources=(),
)
FOUND = Diagnosis(
    seconds=5.0,
    symptoms=(WAITS,),
    not_checked=(
        NotChecked("diag.disk.device", "host", "no value"),
        NotChecked("diag.disk.device", "host", "no value"),
    ),
    checked=(("diag.cpu.run_delay", "domain/web"),),
)


def tags(html: str) -> set[str]:
    found: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.add(tag)

    Tags().feed(html)
    return found


def test_it_says_what_was_found_and_what_was_not_checked() -> None:
    assert diagnosis.text(FOUND) == (
        "1 sign of slowness: 1 high; 1 judgement found none, 2 not checked\n"
        f"high diag.cpu.run_delay on guest {HOSTILE}, vcpu 1: vCPUs are ready to run and have no CPU"
    )
    html = diagnosis.html(FOUND)
    for said in ("Who causes it", "What to do", "Running guests have more vCPUs", "What would refute it", "no value"):
        assert said in html, said
    assert "`" not in html, "code is marked up"


def test_hostile_names_are_text() -> None:
    assert "img" not in tags(diagnosis.html(FOUND))


def test_where_nothing_is_slow_it_says_so() -> None:
    html = diagnosis.html(Diagnosis(5.0, (), (), (("diag.cpu.run_delay", "host"),)))
    assert "No sign of slowness; 1 judgement found none" in html and "Not checked" not in html
