"""Live charts that are left to run: nothing grows, in the kernel or in the page."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.ui.charts_page import BOTH, ChartsPage, variables
from tests.ui.jupyter import jupyterlab

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def soaked(page: Any, seconds: float, tick: str) -> None:
    """Draw twelve charts for some time, eight recorded and four of this host; nothing may grow."""
    with jupyterlab(**variables(), KVMNB_TICK=tick) as server:
        charts = ChartsPage(page, server, BOTH, "soak.ipynb")
        charts.draw(12)
        # A long soak has full windows and warm caches after a third of the time; a short one still fills them.
        charts.page.wait_for_timeout(1000 * seconds / 3)
        before, heap = charts.kernel(), charts.heap()
        charts.page.wait_for_timeout(1000 * seconds * 2 / 3)
        after, grown = charts.kernel(), charts.heap() - heap
        print(f"soak of {seconds:g} s: {before} then {after}, heap +{grown}")
        assert after["ticks"] > before["ticks"]
        assert [after[name] for name in ("threads", "tasks", "widgets")] == [
            before[name] for name in ("threads", "tasks", "widgets")
        ]
        assert after["fds"] <= before["fds"] + 4
        # The sampler keeps an hour: 4 bytes a tick of each of its 30 series, and a row of each chart.
        assert after["rss"] - before["rss"] < 8_000_000 + 2000 * (after["ticks"] - before["ticks"])
        assert grown < 6_000_000


def test_charts_that_run_for_two_minutes_grow_nothing(page: Any) -> None:
    soaked(page, 120.0, tick="0.5")


@pytest.mark.soak
def test_charts_that_run_for_an_hour_grow_nothing(page: Any) -> None:
    soaked(page, float(os.environ.get("KVMNB_SOAK_SECONDS", "3600")), tick="1")
