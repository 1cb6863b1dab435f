from __future__ import annotations

from kvmnb.core.diff import changed_lines, unified

BEFORE = "<a>\n  <b/>\n  <c/>\n  <d/>\n  <e/>\n  <f/>\n</a>\n"
AFTER = BEFORE.replace("<f/>", "<f g='1'/>")


def test_a_diff_shows_the_change_and_three_lines_around_it() -> None:
    assert unified(BEFORE, AFTER, "db") == (
        "--- db (before)\n+++ db (after)\n@@ -3,5 +3,5 @@\n   <c/>\n   <d/>\n   <e/>\n-  <f/>\n+  <f g='1'/>\n </a>\n"
    )
    assert changed_lines(BEFORE, AFTER) == (1, 1)


def test_equal_texts_have_no_diff() -> None:
    assert unified(BEFORE, BEFORE, "db") == ""
    assert changed_lines(BEFORE, BEFORE) == (0, 0)


def test_line_ends_are_no_noise_and_are_shown_where_they_are_all_that_differs() -> None:
    windows = BEFORE.replace("\n", "\r\n"), AFTER.replace("\n", "\r\n")
    assert unified(*windows, "db") == unified(BEFORE, AFTER, "db")
    assert "-  <c/>\\n\n" in unified(BEFORE, windows[0], "db")
    assert "+  <c/>\\r\\n\n" in unified(BEFORE, windows[0], "db")


def test_a_line_separator_inside_a_line_is_no_line_end() -> None:
    text = "a\u2028b\x0cc\n"
    assert changed_lines(text, text + "d\n") == (1, 0)
    assert unified(text, text + "d\n", "x").count("\n") == 5


def test_a_label_cannot_add_lines() -> None:
    assert unified("a\n", "b\n", "x\n+++ y").splitlines()[0] == "--- x +++ y (before)"
