"""disk.qcow2.layout: a qcow2 image was made without the options that make its first writes cheap."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.core.units import GIB, KIB
from tests.advise.disk.builders import a_disk, an_image, holding, storage_host
from tests.builders import a_domain, found, judged, silent

RULE = "disk.qcow2.layout"
HOST = storage_host()
OVERLAY = {"backing_file": "/b", "backing_format": "qcow2"}


@pytest.mark.parametrize("goal", ["throughput", "density"])
def test_an_overlay_without_subclusters_is_told(goal: str) -> None:
    finding = found(RULE, HOST, holding(a_domain(devices=a_disk()), vda=an_image(**OVERLAY)), goal=goal)
    assert (finding.severity, finding.sure, finding.safety) == (Severity.LOW, Sure.CERTAIN, Safety.MANUAL)
    assert "extended_l2=on" in finding.by_hand[0]
    assert finding.by_hand[1].startswith("virsh blockcopy guest vda")


def test_an_old_qemu_is_told_what_it_lacks() -> None:
    domain = holding(a_domain(running=False, devices=a_disk()), vda=an_image(**OVERLAY))
    finding = found(RULE, storage_host(qemu="5.1.0"), domain, goal="density")
    assert (finding.severity, finding.note) == (Severity.INFO, "extended L2 needs QEMU 5.2; here is 5.1.0")
    assert "extended_l2" not in finding.by_hand[0]
    assert finding.by_hand[1].startswith("qemu-img convert")


def test_an_image_that_is_not_allocated_is_possible_for_throughput() -> None:
    finding = found(RULE, HOST, holding(a_domain(devices=a_disk()), vda=an_image()), goal="throughput")
    assert (finding.severity, finding.sure) == (Severity.LOW, Sure.POSSIBLE)
    assert "50 GiB of 100 GiB taken" in finding.saw


@pytest.mark.parametrize(
    ("known", "goal"),
    [
        ({**OVERLAY, "extended_l2": True}, "density"),
        ({**OVERLAY, "extended_l2": True}, "throughput"),
        ({"actual_bytes": 100 * GIB}, "throughput"),
        ({"cluster_bytes": 128 * KIB}, "throughput"),
        # Thin is what density wants.
        ({}, "density"),
        (OVERLAY, "latency"),
        (OVERLAY, "balanced"),
    ],
)
def test_an_image_in_good_order_is_left_alone(known: dict[str, Any], goal: str) -> None:
    assert silent(RULE, HOST, holding(a_domain(devices=a_disk()), vda=an_image(**known)), goal=goal)


def test_other_formats_are_left_alone() -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(format="raw")), goal="throughput")


def test_an_image_that_was_not_asked_for_is_not_checked() -> None:
    assert judged(RULE, HOST, a_domain(devices=a_disk()), goal="throughput").not_checked


@pytest.mark.parametrize(("cluster", "speaks"), [(4 * KIB, True), (64 * KIB, True), (65 * KIB, False)])
def test_a_cluster_above_the_default_was_chosen(cluster: int, speaks: bool) -> None:
    domain = holding(a_domain(devices=a_disk()), vda=an_image(cluster_bytes=cluster))
    assert silent(RULE, HOST, domain, goal="throughput") is not speaks


def test_what_was_seen_of_an_image_is_told() -> None:
    thin = found(RULE, HOST, holding(a_domain(devices=a_disk()), vda=an_image()), goal="throughput")
    over = found(RULE, HOST, holding(a_domain(devices=a_disk()), vda=an_image(**OVERLAY)), goal="density")
    assert thin.saw == "disk vda: clusters of 64 KiB, 50 GiB of 100 GiB taken (qemu-img)"
    assert over.saw == "disk vda: an overlay with clusters of 64 KiB and without extended L2 (qemu-img)"


def test_an_overlay_of_which_subclusters_are_not_known_is_left_alone() -> None:
    domain = holding(a_domain(devices=a_disk()), vda=an_image(**OVERLAY, extended_l2=None))
    assert silent(RULE, HOST, domain, goal="density")
