"""One colour for each guest, the same in every chart."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

# Okabe and Ito's palette for colour-blind readers without its black, then Tol's "muted" ones that differ from it.
# All lie between 2.2:1 and 6:1 on white and on JupyterLab's dark ground.
PALETTE = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#999933",
    "#AA4499",
    "#44AA99",
    "#CC6677",
    "#8A7BD8",
    "#A0703C",
)


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name; it depends on the set of names alone, and differs while colours last.

    A name's place in the palette comes from its own text, so that most guests keep their colour when
    another guest is made; where two would share one, the later in order of names takes the next free.
    """
    found: dict[str, str] = {}
    for name in sorted(set(names)):
        first = zlib.crc32(name.encode(errors="surrogatepass")) % len(PALETTE)
        turns = [PALETTE[(first + step) % len(PALETTE)] for step in range(len(PALETTE))]
        found[name] = next((colour for colour in turns if colour not in found.values()), turns[0])
    return found


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on this colour (WCAG's relative luminance)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "#ffffff"
