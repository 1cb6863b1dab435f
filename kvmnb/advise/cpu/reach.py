"""Where the vCPUs of a guest may run."""

from __future__ import annotations

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Configuration


def mask_of(layer: Configuration) -> CpuSet | None:
    """All CPUs that some vCPU may run on; None where one may run anywhere."""
    pins = {pin.vcpu: pin.cpus for pin in layer.vcpu_pins}
    masks = [pins.get(vcpu, layer.vcpu_cpus) for vcpu in range(layer.vcpus)] if pins else [layer.vcpu_cpus]
    if any(mask is None for mask in masks):
        return None
    return union(mask for mask in masks if mask is not None)
