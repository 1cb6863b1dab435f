"""The fingerprint of a host sees what kvmnb could write."""

from __future__ import annotations

from tests.notebooks.fingerprint import differences, of_host


def test_it_holds_settings_of_this_host() -> None:
    found = of_host()
    assert found["/proc/sys/vm/swappiness"].strip().isdecimal()
    assert "/sys/kernel/mm/ksm/pages_shared" not in found, "what the kernel counts is no setting"


def test_a_value_that_changed_and_a_file_that_came_are_told_and_a_device_that_went_is_not() -> None:
    before = {"/proc/sys/vm/swappiness": "60\n", "/sys/block/loop7/queue/scheduler": "[none]\n", "/etc/sysctl.d/a": "1"}
    after = {"/proc/sys/vm/swappiness": "10\n", "/etc/sysctl.d/a": "1", "/etc/sysctl.d/99-zz-kvmnb.conf": "x"}
    assert differences(before, after) == {
        "/etc/sysctl.d/99-zz-kvmnb.conf": (None, "x"),
        "/proc/sys/vm/swappiness": ("60\n", "10\n"),
    }
