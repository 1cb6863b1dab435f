"""A connection that was let go of is opened anew when it is asked again."""

from __future__ import annotations

import pytest

from kvmnb.machine.connection import Connection
from kvmnb.machine.hypervisor import Layer


def test_a_closed_connection_answers_again_and_is_closed_again() -> None:
    pytest.importorskip("libvirt")
    connection = Connection("test:///default")
    connection.close()
    connection.close()
    assert [record.name for record in connection.domains()] == ["test"]
    assert connection.xml(connection.domains()[0].uuid, Layer.LIVE)
    connection.close()
