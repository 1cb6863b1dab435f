"""Templates escape what they are given, and their style touches nothing but kvmnb's own outputs."""

from __future__ import annotations

import re
from pathlib import Path

from kvmnb.show import template


def test_a_value_is_text_and_never_markup() -> None:
    assert "&lt;b&gt;" in template.fragment("note", text="<b>")


def test_an_output_is_scoped_and_carries_the_style_once() -> None:
    html = template.page("note", text="said")
    assert html.startswith('<div class="kvmnb"><style>')
    assert html.count("<style>") == 1


def test_the_style_is_small() -> None:
    assert len(template.style()) < 6000


def test_every_rule_of_the_style_is_below_its_class() -> None:
    bare = re.sub(r"@media[^{]*\{", "", template.style())
    for selectors in re.findall(r"([^{}]+)\{", bare):
        for selector in selectors.split(","):
            assert ".kvmnb" in selector, selector


def test_every_template_escapes_and_marks_only_own_html_as_safe() -> None:
    folder = Path(template.__file__).parent / "templates"
    safe = re.compile(r"\{\{ (\w+) \| safe")
    marked = {(path.name, found) for path in folder.glob("*.j2") for found in safe.findall(path.read_text())}
    outputs = {("chart_caption.j2", "table"), ("tune.j2", "preview"), ("tune_outcome.j2", "table")}
    documents = {("document.j2", one) for one in ("mark", "theme", "body", "plotly", "script")}
    parts = {("drawing.j2", "figure"), ("drawing.j2", "table"), ("folded.j2", "html")}
    assert marked == outputs | parts | (documents - {("document.j2", "plotly")})


def test_prose_becomes_paragraphs_lists_and_code() -> None:
    html = template.prose("One ``a<b`` line\nand on.\n\n* first\n* second\n  goes on\n")
    assert html == ("<p>One <code>a&lt;b</code> line and on.</p><ul><li>first</li><li>second goes on</li></ul>")


def test_the_lines_of_a_diff_know_their_kind() -> None:
    kinds = [kind for kind, _ in template.diff_lines("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z\n")]
    assert kinds == ["hunk", "hunk", "hunk", "del", "add", "same"]
