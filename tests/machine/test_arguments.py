"""QEMU's command line is read in both of its spellings."""

from __future__ import annotations

from kvmnb.machine.arguments import options


def test_both_spellings_of_an_option_give_the_same_keys() -> None:
    arguments = (
        "qemu",
        "-device",
        '{"driver":"virtio-blk-pci","iothread":"iothread1","id":"virtio-disk0"}',
        "-device",
        "virtio-blk-pci,iothread=iothread1,id=virtio-disk0",
    )
    assert len({tuple(sorted(one.items())) for one in options(arguments, "-device")}) == 1


def test_a_doubled_comma_belongs_to_the_value_and_broken_json_tells_nothing() -> None:
    arguments = ("-blockdev", "driver=file,filename=/a,,b,node-name=n", "-blockdev", '{"driver":', "-blockdev", "[1]")
    assert list(options(arguments, "-blockdev")) == [
        {"driver": "file", "filename": "/a,b", "node-name": "n"},
        {},
        {"driver": "[1]"},
    ]
