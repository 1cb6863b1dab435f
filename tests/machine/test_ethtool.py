"""The kernel's own answers about NICs agree with the ethtool program's, on real and made-up NICs."""

from __future__ import annotations

import ast
import errno
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kvmnb.machine import ethtool
from kvmnb.machine.ethtool import ethtool_answers
from kvmnb.probe.ethtool_text import PARSERS

SOURCE = Path(ethtool.__file__).read_text()
NICS = ("ve0", "ve1", "br0", "tap0", "tun0", "vx0", "if0", "lo")
LINKS = """
set -e
ip link add ve0 numrxqueues 4 numtxqueues 4 type veth peer name ve1
ip link add br0 type bridge
ip link set ve1 master br0
ip tuntap add tap0 mode tap multi_queue vnet_hdr
ip tuntap add tun0 mode tun
ip link add vx0 type vxlan id 5 dstport 4789
ip link add if0 type ifb
ip link set ve0 up
"""
ASK = """
import json, subprocess, sys
names, letters, source = sys.argv[1].split(","), sys.argv[2], sys.argv[3]
subprocess.run(["sh", "-c", sys.argv[4]], check=True)
scope = {"__name__": "reader"}
exec(compile(source, "reader", "exec", dont_inherit=True), scope)
def say(*words):
    env = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(words, capture_output=True, text=True, env=env)
    return done.stdout if done.returncode == 0 else None
texts = {name: {letter: say("ethtool", "-" + letter, name) for letter in letters} for name in names}
json_k = {name: say("ethtool", "--json", "-k", name) for name in names}
print(json.dumps({"answers": scope["ethtool_answers"](names), "texts": texts, "json_k": json_k}))
"""


def ask(names: tuple[str, ...], setup: str, *prefix: str) -> dict[str, Any]:
    """The module's text run alone beside the program, in a child process."""
    if not shutil.which("ethtool"):
        pytest.skip("the ethtool program is not installed")
    words = [*prefix, sys.executable, "-I", "-c", ASK, ",".join(names), "".join(PARSERS), SOURCE, setup]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(found: dict[str, Any]) -> int:
    """Hold each part of each answer against the program's text; the number of parts that both have."""
    both = 0
    for name, texts in found["texts"].items():
        answer = found["answers"][name]
        for letter, (part, parse) in PARSERS.items():
            if texts[letter] is None:
                assert answer[part] is None, (name, part)
                continue
            try:
                told = parse(texts[letter])
            except ValueError:
                # The program prints a title and no line where the driver has nothing.
                assert not answer[part] or not any(answer[part].values()), (name, part)
                continue
            both += 1
            for key, value in told.items():
                # What is n/a to the program is 0 to the ioctl.
                assert answer[part][key] == (0 if value is None else value), (name, part, key)
            if part == "features":
                assert answer[part] == told
    return both


def test_it_agrees_with_the_program_on_the_nics_here() -> None:
    names = tuple(
        name for name in sorted(os.listdir("/sys/class/net")) if Path(f"/sys/class/net/{name}/flags").exists()
    )
    found = ask(names, "true")
    assert set(found["answers"]) == set(names)
    assert compare(found) >= len(names)


def test_it_agrees_with_the_program_on_nics_of_many_kinds() -> None:
    if not (shutil.which("unshare") and shutil.which("ip")) or os.geteuid() != 0:
        pytest.skip("making a network namespace needs root, unshare and ip")
    if subprocess.run(["unshare", "--net", "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    found = ask(NICS, LINKS, "unshare", "--net")
    answers = found["answers"]
    assert compare(found) >= 2 * len(NICS)
    assert [answers[name]["driver"]["driver"] for name in ("ve0", "br0", "tap0")] == ["veth", "bridge", "tun"]
    assert answers["ve0"]["channels"]["rx"] == answers["ve0"]["channels"]["tx"] >= 1
    assert answers["ve0"]["channels"]["rx_max"] == 4
    assert answers["br0"]["channels"] is None and answers["br0"]["rings"] is None


def test_each_feature_state_equals_the_program_s_json() -> None:
    found = ask(("lo",), "true")
    if not found["json_k"]["lo"]:
        pytest.skip("this ethtool writes no JSON")
    states = found["answers"]["lo"]["features"]
    (said,) = json.loads(found["json_k"]["lo"])
    compared = 0
    for name, state in said.items():
        if name in states and isinstance(state, dict):
            assert states[name].startswith("on") == state["active"], name
            assert states[name].endswith("[fixed]") == state["fixed"], name
            compared += 1
    assert compared > 30


def test_the_answers_are_plain_json() -> None:
    answers = ethtool_answers(["lo"])
    assert json.loads(json.dumps(answers)) == answers
    assert re.fullmatch(r"(on|off)( \[.*\])?", answers["lo"]["features"]["rx-gro"])


@pytest.mark.parametrize("name", ["kvmnb-no-nic", "a-name-of-more-than-fifteen-bytes", "", "a\0b", "\udcff"])
def test_a_nic_that_is_not_there_is_told_as_gone(name: str) -> None:
    assert ethtool_answers([name]) == {name: {"error": "ENODEV"}}


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (errno.EOPNOTSUPP, None),
        (errno.EPERM, {"error": "EPERM"}),
        (errno.EIO, {"error": "EIO"}),
        (9999, {"error": "9999"}),
    ],
)
def test_what_the_kernel_refuses_is_no_value(monkeypatch: pytest.MonkeyPatch, code: int, part: object) -> None:
    def refuse(*args: object) -> None:
        raise OSError(code, "refused")

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    assert ethtool_answers(["lo"]) == {
        "lo": dict.fromkeys(("driver", "rings", "channels", "coalesce", "features"), part)
    }


def test_an_unprivileged_user_gets_the_same_answers() -> None:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("becoming another user needs root and setpriv")
    program = SOURCE + "\nimport json, sys\nprint(json.dumps(ethtool_answers(sys.argv[1:])))\n"
    names = sorted(os.listdir("/sys/class/net"))
    interpreter = next((path for path in ("/usr/bin/python3", sys.executable) if os.path.exists(path)), sys.executable)
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", interpreter, "-I", "-c", program, *names]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 126 or "Permission denied" in done.stderr:
        pytest.skip("the other user cannot start this Python")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ethtool_answers(names)


def test_its_text_is_whole_by_itself_and_fits_python_3_8() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 8))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= sys.stdlib_module_names
    # Annotations are never evaluated; a subscripted builtin anywhere else would need Python 3.9.
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for one in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if one is not None
        for inner in ast.walk(one)
    }
    builtin = ("dict", "list", "tuple", "set", "frozenset", "type")
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and id(node) not in annotations:
            assert node.value.id not in builtin, f"line {node.lineno}"


def test_its_numbers_are_those_of_the_kernel_s_headers() -> None:
    header, sockios = Path("/usr/include/linux/ethtool.h"), Path("/usr/include/linux/sockios.h")
    if not header.exists() or not sockios.exists():
        pytest.skip("the kernel's headers are not installed")
    defined = dict(re.findall(r"^#define\s+(\w+)\s+(0x[0-9a-fA-F]+)", header.read_text() + sockios.read_text(), re.M))
    assert int(defined["SIOCETHTOOL"], 16) == ethtool._SIOCETHTOOL
    for command in ("GDRVINFO", "GCOALESCE", "GRINGPARAM", "GSTRINGS", "GSSET_INFO", "GFEATURES", "GCHANNELS"):
        assert int(defined[f"ETHTOOL_{command}"], 16) == getattr(ethtool, f"_{command}"), command
    sets = re.search(r"enum ethtool_stringset \{(.*?)\}", header.read_text(), re.S)
    assert sets
    names = re.findall(r"\b(ETH_SS_\w+)", re.sub(r"/\*.*?\*/", "", sets[1], flags=re.S))
    assert names.index("ETH_SS_FEATURES") == ethtool._SS_FEATURES
    fields = {
        kind: re.findall(r"__u32\s+(\w+);", body)
        for kind, body in re.findall(r"^struct (ethtool_\w+) \{\n(.*?)^\};", header.read_text(), re.S | re.M)
    }
    rings, channels, coalesce = (fields[f"ethtool_{kind}"][1:] for kind in ("ringparam", "channels", "coalesce"))
    assert [rings[n] for n in (4, 0, 7, 3)] == ["rx_pending", "rx_max_pending", "tx_pending", "tx_max_pending"]
    assert channels == [
        *(f"max_{k}" for k in ("rx", "tx", "other", "combined")),
        *(f"{k}_count" for k in ("rx", "tx", "other", "combined")),
    ]
    assert [coalesce[n] for n in (0, 1, 4, 5)] == [
        "rx_coalesce_usecs",
        "rx_max_coalesced_frames",
        "tx_coalesce_usecs",
        "tx_max_coalesced_frames",
    ]
    assert coalesce[9:11] == ["use_adaptive_rx_coalesce", "use_adaptive_tx_coalesce"] and len(coalesce) == 22
    assert fields["ethtool_get_features_block"] == ["available", "requested", "active", "never_changed"]
