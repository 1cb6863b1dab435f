"""Charts that move while the reader works: one widget each, fed by the machine's one sampler thread."""

from __future__ import annotations

from kvmnb.show.live.chart import LiveChart
from kvmnb.show.live.owner import close_all
from kvmnb.show.live.top import TopTable
from kvmnb.show.live.watched import live_chart

__all__ = ["LiveChart", "TopTable", "close_all", "live_chart"]
