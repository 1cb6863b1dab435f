"""The card of the kernel says in words how it treats memory."""

from __future__ import annotations

from kvmnb.facts.gap import Gap, changed
from kvmnb.show.cards import kernel
from kvmnb.verbs import Here


def test_the_demo_hosts_old_recipe_shows(pictured: Here) -> None:
    rows = {row.label: row.text for row in kernel.rows(pictured.host.kernel)}
    assert rows == {
        "Available": "111.2 GiB of 251.6 GiB, page cache that can be given back counted in",
        "Transparent hugepages": "never (for nobody), defrag madvise, of shared memory never",
        "Merging of equal pages (KSM)": "merging; it saves 1.477 GiB (387120 pages)",
        "Swap": "/dev/sda3: 2.359 GiB of 8 GiB in use",
        "Readiness to swap (0 to 200)": "60",
        "When a node is full": "1 (it drops its own page cache first, and guests wait for that), "
        "set by /etc/sysctl.d/90-tuning.conf",
        "Automatic NUMA balancing": "0 (pages stay where they are), set by /etc/sysctl.d/90-tuning.conf",
        "Promising more than there is": "0 (more may be promised than there is, within reason)",
        "Written data in the page cache at most, %": "40, set by /etc/sysctl.d/90-tuning.conf",
        "Tasks that waited for memory": "0.32 % of the last 10 s, 0.21 % of the last minute",
    }


def test_what_the_kernel_lacks_or_nobody_saw_is_told(pictured: Here) -> None:
    poor = changed(pictured.host.kernel, thp=None, ksm=None, swaps=(), zswap=True, sysctls=(), pressures=())
    rows = {row.label: row.text for row in kernel.rows(poor)}
    assert rows["Transparent hugepages"] == "the kernel is built without them"
    assert rows["Merging of equal pages (KSM)"] == "the kernel is built without it"
    assert rows["Swap"] == "none; zswap compresses first"
    assert rows["When a node is full"] == "this kernel has no such setting"
    assert rows["Tasks that waited for memory"] == "this kernel does not count it"
    unseen = changed(pictured.host.kernel, ksm=Gap("host.kernel.ksm", "no right"))
    assert "not seen: no right" in kernel.html(unseen)
    assert "never (for nobody)" in kernel.text(unseen)


def test_what_cannot_be_read_is_a_sentence_and_no_error(small: Here) -> None:
    assert str(small.blocks()) == "This could not be read here: /sys/block: No such file or directory."
    assert small.kernel() is not None
