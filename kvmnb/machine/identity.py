"""Which host a machine is, so that a plan or journal of another one is never carried out on it."""

from __future__ import annotations

import re
import uuid as uuids

from kvmnb.machine.machine import Machine

# Made up once for kvmnb; what is derived with it does not tell the machine id.
_NAMESPACE = uuids.UUID("9a1f5c0e-2f0b-4c55-8d3c-0c6a1d8e7b42")


def host_uuid(machine: Machine, told: str | None) -> str | None:
    """The host's UUID: what libvirt ``told``, or one derived from ``/etc/machine-id`` where that is no lasting one.

    libvirt takes the UUID from the firmware's tables. On a host without them (many virtual machines)
    it makes up a new one at every start of its daemon, unless its configuration names one.
    """
    if machine.kind != "live" or machine.files is None:
        return told
    if told is not None and machine.files.exists("sys/class/dmi/id/product_uuid"):
        return told
    try:
        machine_id = machine.files.read("etc/machine-id")
    except (OSError, ValueError):
        return told
    if not re.fullmatch(r"[0-9a-f]{32}", machine_id):
        return told
    return str(uuids.uuid5(_NAMESPACE, machine_id))
