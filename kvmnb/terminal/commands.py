"""All verbs of the command line, in the order of their help."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kvmnb.terminal import (
    apply,
    audit,
    confirm,
    diagnose,
    diff,
    facts,
    journal,
    lab,
    mute,
    myths,
    plan,
    record,
    report,
    rules,
    top,
    undo,
    watch,
)

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]


def add_all(verbs: Verbs) -> None:
    """Add every verb to the parser."""
    for module in (
        facts,
        record,
        audit,
        rules,
        myths,
        mute,
        plan,
        apply,
        confirm,
        undo,
        journal,
        diff,
        report,
        watch,
        top,
        diagnose,
        lab,
    ):
        module.add(verbs)
