"""What all tests share: the lab's fixtures, and state folders that are not the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.fixtures import guest, host_settings, lab, no_foreign_guest, restore

__all__ = ["guest", "host_settings", "lab", "no_foreign_guest", "restore"]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's state and configuration."""
    folder = tmp_path_factory.mktemp("xdg")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    for name in ("KVMNB_HOST", "LIBVIRT_DEFAULT_URI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real-world inputs; a test that needs it is skipped where it is absent."""
    import os

    folder = Path(os.environ.get("KVMNB_CORPORA") or Path(__file__).parent.parent.parent / "shared" / "corpora")
    if not folder.is_dir():
        pytest.skip(f"the corpora are not at {folder.name}; set KVMNB_CORPORA to their folder")
    return folder
