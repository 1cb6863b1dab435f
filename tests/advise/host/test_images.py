"""The images of guests by the mount that they lie on, and how they are told."""

from __future__ import annotations

import pytest

from kvmnb.advise.host.images import image_mounts, in_short
from kvmnb.advise.intent import Intent
from kvmnb.advise.view import View
from tests.advise.disk.builders import a_disk, a_mount, storage_host
from tests.builders import a_domain


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "/0"), (2, "/0, /1"), (3, "/0, /1, /2"), (4, "/0, /1, /2 and 1 more"), (5, "/0, /1, /2 and 2 more")],
)
def test_three_images_are_named_and_the_rest_is_counted(count: int, said: str) -> None:
    assert in_short(tuple(f"/{number}" for number in range(count))) == said


def test_images_are_gathered_by_mount() -> None:
    host = storage_host(mounts=(a_mount("/b", number=3), a_mount(), a_mount("/a", number=2)))
    disks = a_disk(source="/b/1.img") + a_disk("vdb", source="/a/2.img") + a_disk("vdc", source="/b/0.img")
    others = a_disk("vdd", kind="block") + a_disk("sda", device="cdrom", source="/a/cd.iso")
    read = a_disk("vde", source="/a/read.img", more="<readonly/>")
    view = View(host, (a_domain(devices=disks + others + read),), Intent(), None)
    assert [(mount.mount_point, files) for mount, files in image_mounts(view)] == [
        ("/a", ("/a/2.img",)),
        ("/b", ("/b/0.img", "/b/1.img")),
    ]
