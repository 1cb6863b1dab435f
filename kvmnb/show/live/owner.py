"""Who owns a live output: the notebook cell that made it, so that running it again takes the old one away."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Protocol

from kvmnb.measure.sources import close_samplers


class Live(Protocol):
    """A chart or a table that moves."""

    @property
    def key(self) -> str:
        """What stands for its place where no cell is known."""
        ...

    def stop(self) -> None:
        """Get no more values; what is shown stays on the page."""
        ...

    def close(self) -> None:
        """Stop, and leave the page."""
        ...


@dataclass(frozen=True, slots=True)
class Owner:
    """A place for live outputs, and the run of it that made one."""

    place: str
    run: str


_live: list[tuple[Owner, Live]] = []


def own(live: Live, place: str | None = None) -> None:
    """Remember it, and close those that an earlier run of the same cell left.

    Without a cell's id (outside JupyterLab) its key stands for the place. A ``place`` of its own belongs to
    something that closes it itself.
    """
    cell = _cell() if place is None else None
    owner = cell or Owner(place or f"key:{live.key}", "")
    former = [pair for pair in _live if pair[0].place == owner.place and (cell is None or pair[0] != owner)]
    _live.append((owner, live))
    for pair in former:
        pair[1].close()


def disown(live: Live) -> None:
    """Forget it."""
    _live[:] = [pair for pair in _live if pair[1] is not live]


def close_all() -> None:
    """Stop everything that moves and end every sampler's thread; what is shown stays on the page."""
    for _, live in tuple(_live):
        live.stop()
    close_samplers()


def _cell() -> Owner | None:
    """The notebook cell that is running, by the id that JupyterLab sends with it."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return None
    parent = kernel.get_parent() or {}
    place = parent.get("metadata", {}).get("cellId")
    run = parent.get("header", {}).get("msg_id")
    return Owner(f"cell:{place}", str(run)) if place else None
