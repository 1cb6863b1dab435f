"""What holds for every shipped notebook, read and run."""

from __future__ import annotations

import ast
import json
import re
import socket
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks.harness import NOTEBOOKS, Kernel, running
from tests.small_host import write_host

NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
BIGGEST_BYTES = 300_000
LESSON = ("Look", "Understand", "Choose", "Change", "Measure", "Exercise")
DEEDS = {"apply", "undo", "click", "run_inside"}


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((NOTEBOOKS / name).read_text())
    return found


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def code(name: str) -> list[str]:
    return [source(cell) for cell in read(name)["cells"] if cell["cell_type"] == "code"]


def prose(name: str) -> str:
    return "\n\n".join(source(cell) for cell in read(name)["cells"] if cell["cell_type"] == "markdown")


def test_there_are_notebooks() -> None:
    assert NAMES[:2] == ["00-start.ipynb", "10-cpu.ipynb"] and NAMES[-1] == "90-report.ipynb"


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_applies_undoes_or_clicks(name: str) -> None:
    for text in code(name):
        tree = ast.parse(text, mode="exec", filename=name)
        named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not named & DEEDS, text
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in DEEDS], text
        assert "!" not in text
        assert "%" not in text


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_hold_no_def_and_no_if(name: str) -> None:
    for text in code(name):
        assert len(text.splitlines()) <= 10
        nodes = {type(node).__name__ for node in ast.walk(ast.parse(text))}
        assert not nodes & {"FunctionDef", "AsyncFunctionDef", "ClassDef", "Lambda", "If", "IfExp", "Try"}, text


@pytest.mark.parametrize("name", NAMES)
def test_it_opens_a_host_first_and_lets_go_of_it_last(name: str) -> None:
    first = next(cell for cell in read(name)["cells"] if cell["cell_type"] == "code")
    assert source(first) == "import kvmnb\n\nhere = kvmnb.open()\nhere"
    assert first["metadata"]["tags"] == ["parameters"]
    assert code(name)[-1] == "kvmnb.close()"


@pytest.mark.parametrize("name", NAMES)
def test_prose_comes_before_every_cell_that_shows_something(name: str) -> None:
    cells = read(name)["cells"]
    assert source(cells[0]).startswith("# ")
    for before, cell in pairwise(cells):
        if cell["cell_type"] == "code" and "wait" not in cell["metadata"].get("tags", ()):
            assert before["cell_type"] == "markdown", source(cell)


@pytest.mark.parametrize("name", [name for name in NAMES if re.match(r"[1-8]", name)])
def test_a_lesson_has_its_parts_in_order(name: str) -> None:
    headings = re.findall(r"^## (.+)$", prose(name), re.MULTILINE)
    assert [heading for heading in headings if heading in LESSON] == list(LESSON)


@pytest.mark.parametrize(("name", "following"), list(pairwise(NAMES)))
def test_it_links_to_the_next(name: str, following: str) -> None:
    assert f"]({following})" in prose(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", prose(name)):
        assert target.startswith("https://") or (NOTEBOOKS / target).is_file(), target


@pytest.mark.parametrize("name", NAMES)
def test_prose_explains_the_terms_that_it_uses(name: str) -> None:
    text = prose("00-start.ipynb") + prose(name)
    for term in ("vCPU", "NUMA node", "SMT siblings", "pinned", "float"):
        assert re.search(rf"\*+[^*\n]*{term}", text), term


def test_the_lesson_on_cpus_explains_waiting_restarts_and_undo() -> None:
    text = prose("10-cpu.ipynb")
    for term in (
        "**run delay**",
        "**steal**",
        "**iothreads**",
        "**emulator**",
        "NUMA cell",
        "When not to pin",
        "reboot",
        "Undo",
    ):
        assert term in text


@pytest.mark.parametrize("name", NAMES)
def test_it_is_committed_with_small_outputs_and_clean_metadata(name: str) -> None:
    notebook = read(name)
    assert (NOTEBOOKS / name).stat().st_size < BIGGEST_BYTES
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        assert re.fullmatch(r"[a-z-]+", cell["id"]), cell["id"]
        assert set(cell["metadata"]) <= {"tags", "jupyter"}
        if cell["cell_type"] == "code":
            assert cell["execution_count"], "run tools/execute_notebooks.py"
            for output in cell["outputs"]:
                assert output["output_type"] != "error"
                assert output.get("name") != "stderr"


@pytest.mark.parametrize("name", NAMES)
def test_no_output_tells_of_the_machine_that_made_it(name: str) -> None:
    outputs = json.dumps([cell.get("outputs") for cell in read(name)["cells"]])
    # A machine that is called "vm" cannot be told from the first half of a sysctl's name.
    name_here = socket.gethostname()
    assert len(name_here) < 4 or not re.search(rf"(?<![\w.-]){re.escape(name_here)}(?![\w.-])", outputs)
    for place in (str(Path.home()), str(NOTEBOOKS.parent), "/tmp/", "/home/", "site-packages"):
        assert place not in outputs, place
    assert "object at 0x" not in outputs
    assert "<script" not in outputs


@pytest.mark.parametrize("name", NAMES)
def test_every_rich_output_has_a_text_for_a_page_without_a_kernel(name: str) -> None:
    for cell in read(name)["cells"]:
        for output in cell.get("outputs", ()):
            if "data" in output:
                assert {"text/plain", "text/html"} <= set(output["data"])
                assert "application/vnd.jupyter.widget-view+json" not in output["data"]


@pytest.mark.slow
def test_run_all_and_then_apply_and_undo_on_the_demo_host() -> None:
    with running("10-cpu.ipynb", KVMNB_HOST="demo", KVMNB_TICK="0.05") as notebook:
        assert notebook.cell("print(form.state.guest, here.journals())") == "router01 ()\n"
        before = notebook.cell("print(here.facts().domain('router01').wanted.vcpu_pins)")
        assert notebook.cell("form.apply.click(); form.wait(); print(form.result.ok)") == "True\n"
        assert notebook.cell("print('✔ holds' in form.log.value, form.undo.disabled)") == "True False\n"
        assert notebook.cell("print(here.facts(fresh=True).domain('router01').wanted.vcpu_pins)") != before
        assert notebook.cell("form.undo.click(); form.wait(); print(form.result.ok)") == "True\n"
        assert notebook.cell("print(here.facts(fresh=True).domain('router01').wanted.vcpu_pins)") == before


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel on a host without any guest; a kernel's start and imports take longer than most notebooks."""
    folder = tmp_path_factory.mktemp("empty")
    kernel = Kernel(folder, KVMNB_HOST=str(write_host(folder / "host")), KVMNB_TICK="0.05")
    yield kernel
    kernel.end()


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel on a libvirt whose host cannot be seen."""
    pytest.importorskip("libvirt")
    kernel = Kernel(tmp_path_factory.mktemp("unseen"), KVMNB_HOST="test:///default", KVMNB_TICK="0.05")
    yield kernel
    kernel.end()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_a_host_without_any_guest(name: str, empty: Kernel) -> None:
    assert "There is no guest on a small host" in json.dumps(empty.run(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_a_libvirt_whose_host_cannot_be_seen(name: str, unseen: Kernel) -> None:
    assert "could not be read" in json.dumps(unseen.run(name))
