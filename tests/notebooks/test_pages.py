"""The notebooks as pages without code: one is asked for over HTTP as a browser would."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.notebooks.harness import NOTEBOOKS
from tests.small_host import write_guest, write_host

START_SECONDS = 60.0

pytestmark = pytest.mark.slow


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[str]:
    """Voila over the notebooks, on a small recorded host with a guest."""
    pytest.importorskip("voila")
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    folders = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    command = [sys.executable, "-m", "voila", str(NOTEBOOKS), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **folders, "KVMNB_HOST": str(host), "KVMNB_TICK": "0.05"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def fetched(url: str) -> str:
    """What a browser gets; voila answers as soon as it listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(url, timeout=90) as answer:
                return str(answer.read().decode())
        except (URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_a_page_has_the_outputs_and_none_of_the_code(pages: str) -> None:
    page = fetched(f"{pages}/voila/render/10-cpu.ipynb")
    assert "payroll" in page and "2 vCPUs" in page
    assert "which guest's vCPU runs where" in page and "Understand" in page
    assert "kvmnb.open()" not in page and "kvmnb.close()" not in page
    assert "Traceback" not in page and "KvmnbError" not in page
    assert re.search(r'href="(?:\./)?20-memory\.ipynb', page), "the series links on"
