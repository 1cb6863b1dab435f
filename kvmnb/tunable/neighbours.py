"""Settings that the kernel changes by itself when another one is written."""

from __future__ import annotations

import re

from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Tunable

# A new scheduler begins with its own queue depth; intel_pstate and amd_pstate set the preference with the governor.
_IN_ONE_FOLDER = {
    "scheduler": ("nr_requests",),
    "scaling_governor": ("energy_performance_preference",),
}
# A dirty limit exists in bytes and as a ratio; writing one sets the other to 0 (the kernel's admin-guide/sysctl/vm).
_COUNTERPART = re.compile(r"(vm\.dirty_(?:background_)?)(bytes|ratio)")


def reset_by(tunable: Tunable) -> tuple[Tunable, ...]:
    """The tunables whose values do not outlive a write of this one; each is written after it, both ways."""
    if isinstance(tunable, Sysfs):
        folder, _, name = tunable.path.rpartition("/")
        return tuple(Sysfs(f"{folder}/{other}") for other in _IN_ONE_FOLDER.get(name, ()))
    match = _COUNTERPART.fullmatch(tunable.key) if isinstance(tunable, Sysctl) else None
    if match is None:
        return ()
    return (Sysctl(match[1] + {"bytes": "ratio", "ratio": "bytes"}[match[2]]),)
