"""A guest named as HTML is text in every card, chart and form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from kvmnb.facts.domain import MemoryBacking
from kvmnb.facts.gap import changed
from kvmnb.facts.running import NodeMemory, ProcessMemory
from kvmnb.show.cards import domain as domain_card
from kvmnb.show.charts.hugepages import Hugepages
from kvmnb.show.charts.memory_map import MemoryMap
from kvmnb.show.display import register
from kvmnb.verbs import Here
from tests.builders import a_fact
from tests.show.conftest import HOSTILE


class Tags(HTMLParser):
    """The tags of a text, and what a reader reads of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def htmls(here: Here) -> Iterator[str]:
    shell: Any = InteractiveShell()
    register(shell)
    plan = here.plan(one for one in here.audit().findings if one.id == "cpu.pin.vcpu")
    journal = here.apply(plan)
    verdicts = here.verify(plan)
    assert here.undo(journal)
    audit = here.audit()
    values = (
        here,
        here.domains,
        here.domains[0],
        here.disks(),
        here.disks(here.domains[0]),
        audit,
        audit.findings[0],
        audit.findings,
    )
    for value in (*values, plan, journal, verdicts, (journal,)):
        data, _ = shell.display_formatter.format(value)
        yield data["text/html"]
    for chart in (here.map(), here.memory_map()):
        yield chart.table()
        yield chart.sentence().replace("<", "&lt;")
    form = here.tune()
    yield form._repr_mimebundle_()["text/html"]
    form.apply.click()
    form.wait()
    for widget in (form.preview, form.log, form.progress, *form.choices.children):
        if not hasattr(widget, "indent"):
            yield widget.value


def test_it_is_text_wherever_html_is_made(hostile: Here) -> None:
    assert hostile.domains[0].name == HOSTILE
    named = 0
    for html in htmls(hostile):
        tags = Tags(html)
        assert "img" not in tags.names
        assert "<img" not in html
        named += HOSTILE in tags.text
    assert named >= 8


def test_it_is_text_in_the_figures(hostile: Here, pictured: Here) -> None:
    (domain,) = hostile.domains
    memory = a_fact(ProcessMemory, nodes=(NodeMemory(node=0, bytes=2**30),))
    pages = MemoryBacking(hugepages=True, page_sizes_bytes=(), locked=False, page_cells=())
    large = changed(domain, memory=memory, inactive=changed(domain.wanted, memory_backing=pages))
    for chart in (hostile.map(), MemoryMap(hostile.host, (large,)), Hugepages(pictured.host, (large,))):
        figure = json.dumps(chart.figure())
        assert "<img" not in figure + chart.table()
        assert "&lt;img src=x onerr" in figure


def test_what_someone_wrote_of_a_guest_is_text_in_its_card(hostile: Here) -> None:
    (domain,) = hostile.domains
    wrote = f"{HOSTILE} {'long ' * 100}"
    tuning = changed(domain.wanted.tuning, description=wrote)
    card = Tags(domain_card.html(changed(domain, live=None, inactive=changed(domain.wanted, tuning=tuning))))
    assert "img" not in card.names
    assert f"Described as{HOSTILE} long" in card.text and "…" in card.text
    assert "Described as" not in Tags(domain_card.html(domain)).text


def test_a_description_is_text_in_the_labels_of_the_form(hostile: Here) -> None:
    form = hostile.tune()
    for box in form.choices.children:
        assert not getattr(box, "description_allow_html", False)
    assert form.guest.options[0][0].startswith(HOSTILE)
