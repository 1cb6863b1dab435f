"""Stand-ins for names, addresses and identifiers: the same original always has the same stand-in.

They are made with a secret salt. It lies in the state folder of whoever records, so that two recordings of
one host can be compared, and is never part of a recording.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
import uuid as uuids
from collections.abc import Iterator
from pathlib import Path

from kvmnb.core.errors import SourceError

SALT_BYTES = 32

# These say nothing of anybody: unspecified, loopback, broadcast, the kernel's "no address".
_COMMON_ADDRESSES = frozenset({"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1"})
_COMMON_MACS = frozenset({"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"})
_NO_UUID = "00000000-0000-0000-0000-000000000000"


class Pseudonyms:
    """Makes stand-ins, and remembers each original with the field that it stood in."""

    def __init__(self, salt: bytes) -> None:
        self.salt = salt
        self._originals: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._made: dict[tuple[str, str], str] = {}
        self._given: set[str] = set()

    def name(self, original: str, field: str) -> str:
        """A stand-in for any name: ``x`` and ten hexadecimal digits, so it fits wherever a name does.

        >>> Pseudonyms(b"salt").name("db.example.org", "domain/name")
        'x5d71ba5367'
        """
        self._remember(original, field)
        return self._give(f"x{self._digest('name', original, 10)}")

    def uuid(self, original: str, field: str) -> str:
        """A stand-in for a UUID, which is one; upper case and missing dashes do not make another."""
        plain = original.strip().lower().replace("-", "")
        if plain == _NO_UUID.replace("-", ""):
            return original.strip()
        self._remember(original, field)
        self._remember(str(uuids.UUID(plain)), field)
        self._remember(plain, field)
        made = uuids.UUID(hex=self._digest("uuid", plain, 32), version=4)
        return self._give(str(made) if "-" in original else made.hex)

    def mac(self, original: str, field: str) -> str:
        """A stand-in for a MAC: locally administered; a tap's (``fe:``) stays that of its guest's NIC."""
        plain = original.strip().lower().replace("-", ":")
        if plain in _COMMON_MACS:
            return plain
        self._remember(original, field)
        self._remember(plain, field)
        self._remember(plain.replace(":", ""), field)
        tail = self._digest("mac", plain[3:], 10)
        start = "fe" if plain.startswith("fe") else "02"
        return self._give(":".join((start, *(tail[index : index + 2] for index in range(0, 10, 2)))))

    def address(self, original: str, field: str) -> str:
        """A stand-in for an IP address, from the ranges that are set aside for benchmarks and documentation."""
        bare = original.strip().strip("[]")
        if bare in _COMMON_ADDRESSES:
            return bare
        found = ipaddress.ip_address(bare.partition("%")[0])
        self._remember(bare, field)
        self._remember(str(found), field)
        number = int(self._digest("address", str(found), 16), 16)
        if found.version == 4:
            return self._give(str(ipaddress.IPv4Address("198.18.0.0") + number % 2**17))
        return self._give(str(ipaddress.IPv6Address("2001:db8::") + number))

    def hexadecimal(self, original: str, field: str, digits: int) -> str:
        """A stand-in for an identifier of so many hexadecimal digits."""
        self._remember(original, field)
        return self._give(self._digest("hex", original.lower(), digits))

    def drop(self, original: str, field: str) -> None:
        """Remember a text that is left out, such as a description or a password."""
        if original.strip():
            self._texts.setdefault(original, field)

    def originals(self) -> Iterator[tuple[str, str]]:
        """Each name, address or identifier that was replaced, with its field."""
        yield from self._originals.items()

    def texts(self) -> Iterator[tuple[str, str]]:
        """Each text that was left out, with its field."""
        yield from self._texts.items()

    def stand_ins(self) -> frozenset[str]:
        """All stand-ins as they were given."""
        return frozenset(self._given)

    def spared(self) -> frozenset[str]:
        """Words, lower case, that are kept on purpose and so are no sign of a leak."""
        return frozenset()

    def _remember(self, original: str, field: str) -> None:
        if original.strip():
            self._originals.setdefault(original.strip(), field)

    def _give(self, stand_in: str) -> str:
        self._given.add(stand_in)
        return stand_in

    def _digest(self, kind: str, original: str, digits: int) -> str:
        found = self._made.get((kind, original))
        if found is None:
            mac = hmac.new(self.salt, f"{kind}\0{original}".encode("utf-8", "surrogateescape"), hashlib.sha256)
            found = self._made[kind, original] = mac.hexdigest()[:digits]
        return found


def lasting_salt(folder: Path) -> bytes:
    """The salt of this user on this machine, made at the first recording; mode 0600."""
    path = folder / "recording.salt"
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            salt = path.read_bytes()
        else:
            salt = secrets.token_bytes(SALT_BYTES)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(salt)
    except OSError as problem:
        raise SourceError(f"the salt of recordings cannot be kept in {path}: {problem.strerror}") from problem
    if len(salt) != SALT_BYTES:
        raise SourceError(f"{path} is no salt of recordings; remove it, and the next recording makes a new one")
    return salt


UUID = re.compile(r"(?i)(?<![0-9a-f])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-f])")
MAC = re.compile(r"(?i)(?<![0-9a-f:])[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?![0-9a-f:])")
IPV4 = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])")
IPV6 = re.compile(r"(?i)(?<![\w.:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:%\w+)?(?![\w:])")


def is_ipv6(text: str) -> bool:
    """Whether a text is an IPv6 address; a PCI address or a time is none."""
    try:
        return ipaddress.ip_address(text.partition("%")[0]).version == 6
    except ValueError:
        return False


def is_ipv4(text: str) -> bool:
    """Whether a text is an IPv4 address."""
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False
