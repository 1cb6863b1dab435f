"""libvirt's own driver for the tests that ask it what it makes of a definition."""

from __future__ import annotations

import pytest

from tests.apply.embedded import Embedded


@pytest.fixture(scope="session")
def libvirt(tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    """libvirt's own driver, of which a process can have one."""
    return Embedded(tmp_path_factory.mktemp("embed"))
