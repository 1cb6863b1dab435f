"""See how a KVM host and its guests are tuned, why it matters, and change it safely.

The names below are the verbs of ``kvmnb.verbs``, loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kvmnb.verbs import Here, close, open

__all__ = ["Here", "close", "open"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from kvmnb import verbs

        return getattr(verbs, name)
    raise AttributeError(f"kvmnb has no {name!r}; its verbs are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
