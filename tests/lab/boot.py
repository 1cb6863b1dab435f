"""The small guest system: a distribution kernel and a busybox initramfs, built once and kept.

Nothing is installed: the packages are fetched with ``apt-get download`` and unpacked beside the result.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MODULES = (
    "virtio_pci", "virtio_blk", "virtio_net", "virtio_scsi", "virtio_console", "virtio_balloon", "virtio_rng",
    "e1000", "e1000e", "8139cp", "ahci", "ata_piix", "sd_mod", "button", "evdev",
)  # fmt: skip
"""Drivers the guest loads at its start, by the kernel's names; what they need comes along."""

KERNEL_PACKAGES = ("linux-image-amd64", "linux-image-generic")
"""Packages that depend on the newest kernel of Debian and of Ubuntu."""

INIT = Path(__file__).with_name("init.sh")


class LabError(Exception):
    """Something the lab needs is missing or did not work; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Boot:
    """What QEMU boots directly, and the kernel release it is."""

    kernel: Path
    initrd: Path
    release: str


def cache_folder() -> Path:
    """Name the folder in which built guests are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kvmnb" / "lab"


def boot_files(cache: Path | None = None) -> Boot:
    """Return the guest's kernel and initramfs, building them on first use.

    A build is named by the kernel release and by a digest of this recipe, and comes into place by one rename,
    so two runs at once do no harm. An existing build of this recipe is used without asking apt.
    Raises LabError where a package cannot be fetched or holds no kernel.
    """
    cache = cache or cache_folder()
    recipe = hashlib.sha256(Path(__file__).read_bytes() + INIT.read_bytes()).hexdigest()[:12]
    kept = sorted(cache.glob(f"*_{recipe}"), key=lambda folder: folder.stat().st_mtime)
    if not kept:
        cache.mkdir(parents=True, exist_ok=True)
        kept = [_build(cache, recipe)]
    folder = kept[-1]
    return Boot(folder / "kernel", folder / "initrd", folder.name.rpartition("_")[0])


def _build(cache: Path, recipe: str) -> Path:
    work = Path(tempfile.mkdtemp(prefix=".build-", dir=cache))
    try:
        tree = work / "tree"
        for package in _download(work):
            _run(["dpkg-deb", "-x", str(package), str(tree)], "unpack a package of the guest")
        vmlinuz = next((tree / "boot").glob("vmlinuz-*"), None)
        if vmlinuz is None:
            raise LabError("Building the lab guest: the kernel package holds no boot/vmlinuz-*.")
        release = vmlinuz.name.removeprefix("vmlinuz-")
        done = work / "done"
        done.mkdir()
        (done / "kernel").write_bytes(_unpacked(vmlinuz.read_bytes()))
        (done / "initrd").write_bytes(b"".join(_initramfs(tree, release)))
        target = cache / f"{release}_{recipe}"
        try:
            done.rename(target)
        except OSError:
            if not (target / "initrd").exists():
                raise
        return target
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(folder: Path) -> list[Path]:
    """Fetch busybox and the newest kernel, with its modules where they are a package of their own."""
    wanted = {"busybox-static"}
    for package in KERNEL_PACKAGES:
        wanted |= set(re.findall(r"Depends: (linux-(?:image|modules)-[0-9]\S*)", _depends(package)))
    images = {name for name in wanted if name.startswith("linux-image-")}
    if not images:
        raise LabError(
            f"Building the lab guest: apt knows no kernel behind {' or '.join(KERNEL_PACKAGES)}. "
            "Run 'apt-get update' first; the lab needs a Debian or Ubuntu of x86-64."
        )
    for image in images:
        wanted |= set(re.findall(r"Depends: (linux-modules-[0-9]\S*)", _depends(image)))
    # apt drops to a user who may not write here; nothing is installed, so root may as well fetch.
    command = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *sorted(wanted)]
    _run(command, f"fetch {', '.join(sorted(wanted))}", cwd=folder)
    return sorted(folder.glob("*.deb"))


def _depends(package: str) -> str:
    answer = subprocess.run(["apt-cache", "depends", package], capture_output=True, text=True, check=False)
    return answer.stdout


def _run(command: list[str], purpose: str, cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=600)
    except FileNotFoundError:
        raise LabError(f"Could not {purpose}: {command[0]} is not here; it needs Debian or Ubuntu.") from None
    if done.returncode:
        raise LabError(f"Could not {purpose}: '{' '.join(command)}' said: {done.stderr.strip()[-600:]}")


def _unpacked(bzimage: bytes) -> bytes:
    """Return the ELF kernel in a bzImage, which QEMU starts by PVH: unpacking it under TCG takes 2 s.

    The header's fields are those of the kernel's Documentation/arch/x86/boot.rst. A kernel packed in another
    way than xz or zstd is returned as it is.
    """
    start = (bzimage[0x1F1] + 1) * 512 + int.from_bytes(bzimage[0x248:0x24C], "little")
    payload = bzimage[start : start + int.from_bytes(bzimage[0x24C:0x250], "little")]
    if payload.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor().decompress(payload)
    if payload.startswith(b"\x28\xb5\x2f\xfd"):
        # The kernel's build appends the unpacked size to the stream.
        return subprocess.run(["zstd", "-dcq"], input=payload[:-4], capture_output=True, check=True).stdout
    return bzimage


def _initramfs(tree: Path, release: str) -> Iterator[bytes]:
    """Yield the members of a newc cpio archive: busybox, the modules in loading order, init."""
    modules = dict(_modules(tree, release))
    busybox = next(path for path in (tree / "bin/busybox", tree / "usr/bin/busybox") if path.exists())
    for folder in ("bin", "dev", "proc", "sys", "tmp", "run", "modules"):
        yield _member(folder, stat.S_IFDIR | 0o755)
    yield _member("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    yield _member("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes())
    yield _member("init", stat.S_IFREG | 0o755, INIT.read_bytes())
    yield _member("modules/order", stat.S_IFREG | 0o644, "".join(f"{name}\n" for name in modules).encode())
    for name, content in modules.items():
        yield _member(f"modules/{name}.ko", stat.S_IFREG | 0o644, content)
    yield _member("TRAILER!!!", 0)


def _modules(tree: Path, release: str) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted modules after those they need, without what is built in or not in the package."""
    root = tree / "lib/modules" / release
    if not root.is_dir():
        root = tree / "usr/lib/modules" / release
    files = {path.name.partition(".")[0].replace("-", "_"): path for path in root.rglob("*.ko*")}
    builtin = {Path(line).stem.replace("-", "_") for line in (root / "modules.builtin").read_text().split()}
    seen: set[str] = set()

    def visit(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            if name in seen or name in builtin:
                continue
            seen.add(name)
            if name not in files:
                # Ubuntu keeps some drivers in a package the lab does not fetch.
                continue
            content = _decompress(files[name])
            # depmod has not run on an unpacked package, so each module's own word on its needs is read.
            found = re.search(rb"\0depends=([^\0]*)\0", content)
            needs = found.group(1).decode() if found else ""
            yield from visit(need.replace("-", "_") for need in needs.split(",") if need)
            yield name, content

    yield from visit(MODULES)


def _decompress(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout
    return path.read_bytes()


def _member(name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """Encode one newc cpio member (kernel: Documentation/driver-api/early-userspace/buffer-format.rst)."""
    label = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(label), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + label
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
