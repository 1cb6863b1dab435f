"""Pressure: how long work stood still for want of a resource; the label is ``cpu``, ``memory`` or ``io``."""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import TICK, Metric

HOST_PRESSURE_SOME = Metric(
    name="host_pressure_some_seconds_total",
    kind="counter",
    unit="seconds",
    of="host",
    label="resource",
    help="Time in which at least one thread stood still for want of the resource.",
    source="/proc/pressure/<resource>, line some",
    cost="one read of a small file per resource",
    period=TICK,
)
HOST_PRESSURE_FULL = replace(
    HOST_PRESSURE_SOME,
    name="host_pressure_full_seconds_total",
    help="Time in which all threads that had work stood still for want of the resource; of the CPU the kernel "
    "counts none for a whole host.",
    source="/proc/pressure/<resource>, line full",
    cost="none of its own: it comes with the line above it",
)

METRICS = (HOST_PRESSURE_SOME, HOST_PRESSURE_FULL)
