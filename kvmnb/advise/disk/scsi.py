"""The SCSI controller that a disk hangs on."""

from __future__ import annotations

from kvmnb.advise.disk.change import bus_of
from kvmnb.facts.device import Controller, Disk
from kvmnb.facts.domain import Configuration


def controller_of(disk: Disk, config: Configuration) -> Controller | None:
    """The disk's SCSI controller; None for other buses, and where the XML has none yet."""
    if bus_of(disk) != "scsi":
        return None
    number = disk.controller if disk.controller is not None else 0
    return next((one for one in config.devices.controllers if one.type == "scsi" and (one.index or 0) == number), None)


def controller_path(controller: Controller) -> str:
    """Where the controller stands in the XML; one without an index is the first of its type."""
    return f"devices/controller[{controller.type}][{controller.index or 0}]"
