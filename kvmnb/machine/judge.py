"""libvirt's own judges of a domain XML, asked without a daemon.

The RELAX NG schema that is installed with libvirt, and the in-process ``test:`` driver. Where one is
absent, the other judges alone; where both are, a scratch copy takes any well-formed XML.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from kvmnb.core.errors import XmlError

SCHEMA_FOLDER = Path("/usr/share/libvirt/schemas")


def judge_domain(xml: str) -> None:
    """Raise XmlError with the judge's words where a domain XML would not be taken."""
    problem = schema_problem(xml)
    if problem is not None:
        raise XmlError(f"libvirt's schema refuses the edited XML: {problem}")
    _ask_test_driver(xml)


def schema_problem(xml: str, folder: Path = SCHEMA_FOLDER) -> str | None:
    """What the schema in ``folder`` says against a domain XML; None where it is valid or no schema is there."""
    schema = _schema(folder)
    if schema is None:
        return None
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as problem:
        return str(problem)
    if schema.validate(tree):
        return None
    said = schema.error_log.last_error
    return f"line {said.line}: {said.message}" if said is not None else "it is not valid"


@lru_cache(maxsize=4)
def _schema(folder: Path) -> Any:
    path = folder / "domain.rng"
    if not path.is_file():
        return None
    from lxml import etree

    return etree.RelaxNG(file=str(path))


def _ask_test_driver(xml: str) -> None:
    try:
        import libvirt
    except ImportError:
        return
    from kvmnb.machine.connection import import_libvirt

    import_libvirt()
    connect = libvirt.open("test:///default")
    try:
        connect.defineXMLFlags(xml, 0).undefine()
    except libvirt.libvirtError as problem:
        raise XmlError(f"libvirt refuses the edited XML: {problem.get_error_message()}") from problem
    finally:
        connect.close()
