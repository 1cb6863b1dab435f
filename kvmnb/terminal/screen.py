"""A table of guests on a terminal, drawn over itself, and the keys that a person presses meanwhile."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from kvmnb.measure.usage import COLUMNS, NAME, Column, Usage, Usages
from kvmnb.terminal.words import coloured, name_of, safe

HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
NAME_WIDTH = (12, 28)
WIDTH = 11
PLAIN_COLUMNS = 200


@contextmanager
def keys(live: bool) -> Iterator[Callable[[float], str]]:
    """Asks for the key that was pressed within some seconds, ``""`` for none; the terminal is put back at the end."""
    if not live:
        yield lambda seconds: ""
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    former = signal.signal(signal.SIGTERM, _end)
    try:
        tty.setcbreak(terminal)
        print(HOME + REST_OF_SCREEN, end="")
        yield lambda seconds: _pressed(terminal, seconds)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTERM, former)


def _end(number: int, frame: FrameType | None) -> None:
    """Ended by another program: the terminal is put back on the way out."""
    raise SystemExit(128 + number)


def _pressed(terminal: int, seconds: float) -> str:
    if not select.select([terminal], [], [], seconds)[0]:
        return ""
    return os.read(terminal, 1).decode(errors="replace")


def show(usages: Usages, sort: str, note: str, *, live: bool) -> None:
    """Print the table; over the former one where a person looks."""
    size = shutil.get_terminal_size((PLAIN_COLUMNS, 24))
    room = (size.columns, size.lines) if live else (PLAIN_COLUMNS, sys.maxsize)
    shown = lines(usages, sort, note, *room)
    if live:
        print(HOME + "".join(f"{line}{REST_OF_LINE}\n" for line in shown) + REST_OF_SCREEN, end="", flush=True)
    else:
        print("\n".join(shown), flush=True)


def lines(usages: Usages, sort: str, note: str, columns: int, height: int) -> list[str]:
    """The table in so many columns and lines; what has no room is left out and counted."""
    rows = usages.rows(sort)
    at = time.strftime("%H:%M:%S", time.localtime(usages.at)) if usages.at else "--:--:--"
    guests = f"{len(rows)} guest{'' if len(rows) == 1 else 's'}"
    longest = max((len(name_of(one.name)) for one in rows), default=0)
    wide = min(max(longest, NAME_WIDTH[0]), NAME_WIDTH[1])
    chosen = COLUMNS[: max(1, (columns - wide) // WIDTH)]
    head = _titled("guest", sort == NAME) + " " * (wide - len("guest"))
    head += "".join(" " * (WIDTH - len(one.title)) + _titled(one.title, one.word == sort) for one in chosen)
    found = [safe(f"{at}  {guests}, by {sort}  {note}")[: max(columns - 1, 20)], head]
    room = max(1, height - 4)
    found += [_row(one, wide, chosen, columns) for one in rows[:room]]
    if len(rows) > room:
        found.append(f"… {len(rows) - room} more")
    if not rows:
        found.append(safe(usages.problem or "No guest is seen yet."))
    return found


def _titled(title: str, sorts: bool) -> str:
    return coloured(title, "1;4") if sorts else title


def _row(one: Usage, wide: int, chosen: tuple[Column, ...], columns: int) -> str:
    name = name_of(one.name)
    name = name if len(name) <= wide else name[: wide - 1] + "…"
    values = ((column.unit, column.value(one)) for column in chosen)
    cells = (_cell(None if value is None else unit.text(value * unit.scale)) for unit, value in values)
    line = name.ljust(wide) + "".join(cells)
    return f"{line}  {name_of(one.gap)}"[: max(columns - 1, 20)] if one.gap else line


def _cell(text: str | None) -> str:
    return (text or "-").rjust(WIDTH)
