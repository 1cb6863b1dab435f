"""Docstrings are read by their headings."""

from __future__ import annotations

from kvmnb.core.docs import sections

TEXT = """The pattern.

    What is seen
        One line,
        and another.

        A second paragraph.

    Cost
        None.
    """


def test_each_heading_has_its_text_without_the_indent() -> None:
    assert sections(TEXT) == (
        "The pattern.",
        {"What is seen": "One line,\nand another.\n\nA second paragraph.", "Cost": "None."},
    )


def test_a_docstring_without_headings_is_a_title_alone() -> None:
    assert sections("Only this.") == ("Only this.", {})
