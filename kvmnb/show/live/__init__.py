"""Charts that move while the reader works: one widget each, fed by the machine's one sampler thread."""

from __future__ import annotations

from kvmnb.show.live.chart import LiveChart
from kvmnb.show.live.guest import live_chart
from kvmnb.show.live.owner import close_all

__all__ = ["LiveChart", "close_all", "live_chart"]
