"""One colour for each guest."""

from __future__ import annotations

from kvmnb.show.colours import PALETTE, colours, ink_on


def contrast(one: str, other: str) -> float:
    lights = []
    for colour in (one, other):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(lights) / min(lights)


def test_a_name_has_the_same_colour_in_any_order() -> None:
    assert colours(["web", "db", "mail"]) == colours(["mail", "web", "db"])


def test_as_many_guests_as_colours_differ_all() -> None:
    found = colours(f"guest{number}" for number in range(len(PALETTE)))
    assert sorted(found.values()) == sorted(PALETTE)


def test_more_guests_than_colours_still_have_one_each() -> None:
    assert len(colours(map(str, range(40)))) == 40


def test_a_name_that_is_no_unicode_text_has_a_colour() -> None:
    assert colours(["\udcff"])


def test_the_text_on_every_colour_can_be_read() -> None:
    for colour in PALETTE:
        assert contrast(colour, ink_on(colour)) >= 4.5, colour


def test_every_colour_stands_out_on_white_and_on_the_dark_ground() -> None:
    for colour in PALETTE:
        assert contrast(colour, "#ffffff") >= 1.9, colour
        assert contrast(colour, "#111111") >= 3, colour
