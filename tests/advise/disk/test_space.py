"""disk.space: the store of the images is nearly full, so guests will pause."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.core.units import GIB
from kvmnb.facts.domain import Domain, State
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.host import Host
from kvmnb.facts.image import Image, Space
from kvmnb.facts.storage import ThinPool
from tests.advise.disk.builders import a_block, a_disk, an_image, holding, storage_host
from tests.builders import a_domain, a_fact, found, judged, silent

RULE = "disk.space"
HOST = storage_host()


def on(
    total: float, free: float, *, virtual: float = 100, actual: float = 50, number: str = "8:1", path: str = "/a"
) -> Image:
    """An image on a file system with this room, in GiB."""
    space = Space(total_bytes=int(total * GIB), free_bytes=int(free * GIB))
    return an_image(
        space=space, virtual_bytes=int(virtual * GIB), actual_bytes=int(actual * GIB), number=number, path=path
    )


def guest(image: Image | Gap, name: str = "guest", disk: str = "") -> Domain:
    return holding(a_domain(name, devices=disk or a_disk()), vda=image)


@pytest.mark.parametrize("goal", ["balanced", "density"])
@pytest.mark.parametrize(
    ("total", "free", "growth"),
    # Under a tenth free; under 20 GiB free though over a tenth.
    [(1000, 99, 100), (100, 19, 20)],
)
def test_images_that_may_outgrow_a_full_file_system_are_told(total: int, free: int, growth: int, goal: str) -> None:
    finding = found(RULE, HOST, guest(on(total, free, virtual=200, actual=200 - growth)), goal=goal)
    assert (finding.severity, finding.safety, finding.subject) == (Severity.CRITICAL, Safety.MANUAL, "host/mount/%2F")
    assert f"{free} GiB of {total} GiB free" in finding.saw
    assert f"grow by {growth} GiB" in finding.saw


@pytest.mark.parametrize(
    ("total", "free", "growth"),
    [
        # A tenth or 20 GiB; room for all growth; nothing grows.
        (1000, 100, 150), (200, 20, 150), (1000, 50, 50), (1000, 1, 0), (1000, 900, 950),
    ],
)  # fmt: skip
def test_a_file_system_with_room_is_right(total: int, free: int, growth: int) -> None:
    assert silent(RULE, HOST, guest(on(total, free, virtual=1000, actual=1000 - growth)))


def test_the_images_of_all_guests_on_one_file_system_count_once_each() -> None:
    a, b = on(1000, 90, path="/a"), on(1000, 90, path="/b")
    shared = guest(a, "again")
    assert found(RULE, HOST, guest(a), guest(b, "other"), shared).saw.count("2 images") == 1
    assert silent(RULE, HOST, guest(a), shared)
    assert silent(RULE, HOST, guest(a), guest(on(1000, 90, path="/b", number="8:2"), "other"))


@pytest.mark.parametrize("policy", ["report", "ignore"])
def test_a_policy_under_which_the_guest_goes_on_is_named(policy: str) -> None:
    image = on(1000, 10)
    finding = found(RULE, HOST, guest(image, disk=a_disk(driver=f"error_policy='{policy}'")))
    assert "no stop but errors in: guest vda" in finding.saw
    assert "error_policy" not in found(RULE, HOST, guest(image, disk=a_disk(driver="error_policy='enospace'"))).saw


def test_an_image_that_is_not_seen_hides_no_full_file_system() -> None:
    result = judged(RULE, HOST, guest(on(1000, 10)), guest(Gap("images[/x]", "needs root"), "other"))
    assert len(result.findings) == 1
    assert "needs root" in result.not_checked[0].reason


@pytest.mark.parametrize("field", ["space", "actual_bytes", "virtual_bytes"])
def test_what_is_not_told_of_an_image_is_not_checked(field: str) -> None:
    image = changed(on(1000, 10), **{field: Gap(field, "taken away")})
    assert judged(RULE, HOST, guest(image)).not_checked[0].reason.endswith("taken away")


@pytest.mark.parametrize("disk", [a_disk(more="<readonly/>"), a_disk(device="cdrom"), a_disk(kind="network")])
def test_disks_that_do_not_grow_are_left_alone(disk: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=disk))


@pytest.mark.parametrize(
    ("name", "reason", "fires"),
    [("paused", "ioerror", True), ("paused", "user", False), ("running", None, False)],
)
def test_a_guest_that_ran_out_of_space_is_told(name: str, reason: str | None, fires: bool) -> None:
    domain = changed(a_domain(), state=a_fact(State, name=name, reason=reason))
    assert silent(RULE, HOST, domain) is not fires
    if fires:
        assert found(RULE, HOST, domain).subject == "host/guest/guest"


def test_a_state_that_is_not_seen_is_not_checked_and_shut_off_guests_have_none() -> None:
    assert judged(RULE, HOST, changed(a_domain(), state=Gap("state", "no answer"))).not_checked
    assert silent(RULE, HOST, changed(a_domain(running=False), state=Gap("state", "no answer")))


def pool(used: float, metadata: float, *, asked: bool = True) -> Host:
    host = storage_host(a_block("dm-1", type="lvm", dm_name="vg-p-tpool"), a_block("dm-2", type="lvm", dm_name="vg-x"))
    found = ThinPool(name="vg-p-tpool", used_ratio=used, metadata_used_ratio=metadata)
    return changed(host, thin_pools=(found,) if asked else ())


@pytest.mark.parametrize(
    ("used", "metadata", "said"),
    [(0.86, 0.1, "86% of its data"), (0.1, 0.9, "90% of its metadata"), (0.85, 0.85, None)],
)
def test_a_thin_pool_over_85_percent_is_told(used: float, metadata: float, said: str | None) -> None:
    host = pool(used, metadata)
    if said is None:
        assert silent(RULE, host)
    else:
        finding = found(RULE, host)
        assert said in finding.saw and finding.subject == "host/pool/vg-p-tpool"


def test_a_thin_pool_that_was_not_asked_for_is_not_checked() -> None:
    assert "was not asked for" in judged(RULE, pool(0.9, 0.9, asked=False)).not_checked[0].reason


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, guest(on(1000, 1)), goal=goal)
