"""A browser, and JupyterLab on the demo host, once for all browser tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.jupyter import Server, jupyterlab


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium: ``$KVMNB_CHROMIUM``, else the system's."""
    path = os.environ.get("KVMNB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium is installed; KVMNB_CHROMIUM names one elsewhere")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's sandbox needs a user that is not root, and the tests may run as root; pages are our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo_server() -> Iterator[Server]:
    """JupyterLab whose kernels open the demo host."""
    with jupyterlab(KVMNB_HOST="demo", KVMNB_TICK="0.2") as server:
        yield server


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page; a dialog that opens on it fails the test, for none ever should."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    made = context.new_page()
    said: list[str] = []

    def hear(dialog: Any) -> None:
        # JupyterLab's own question, when a page with unsaved outputs is left.
        if dialog.type == "beforeunload":
            dialog.accept()
            return
        said.append(dialog.message)
        dialog.dismiss()

    made.on("dialog", hear)
    yield made
    context.close()
    assert said == []


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: ``$KVMNB_ARTEFACTS``, else a folder that pytest forgets."""
    chosen = os.environ.get("KVMNB_ARTEFACTS")
    return Path(chosen) if chosen else tmp_path_factory.mktemp("pictures")
