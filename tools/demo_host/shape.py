"""The shape of the demo host: two Xeon Gold 6326, and when it was looked at."""

from __future__ import annotations

from datetime import UTC, datetime

PACKAGES = 2
CORES = 16
"""Per package."""
CPUS = tuple(range(PACKAGES * CORES * 2))
NODES = tuple(range(PACKAGES))

MODEL_NAME = "Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz"
MICROCODE = 0xD000404
BASE_KHZ, TURBO_KHZ, LOWEST_KHZ = 2_900_000, 3_500_000, 800_000

KERNEL = "6.1.0-41-amd64"
KERNEL_VERSION = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09)"
HOSTNAME = "kvm-demo"
HOST_UUID = "7f3a9b52-6d18-4c0e-a2f5-91e4d07b38c6"
MACHINE_ID = "9f2d6c1be84a47d0a35e70c18b64f2d9"
BOOT_ID = "6b1f0c9e-27d4-4a83-9c5e-d01e38a7f642"

MADE_AT = datetime(2026, 2, 10, 10, 15, tzinfo=UTC)
UPTIME_SECONDS = 41 * 86_400 + 5 * 3_600 + 47 * 60 + 12

LIBVIRT, QEMU = "9.0.0", "7.2.22"


def package_of(cpu: int) -> int:
    """Linux counts the first threads of all packages, then the second ones."""
    return cpu % (PACKAGES * CORES) // CORES


def core_of(cpu: int) -> int:
    """The core's number within its package; it is not unique on the host."""
    return cpu % CORES


def siblings_of(cpu: int) -> tuple[int, int]:
    """Both threads of the CPU's core."""
    first = cpu % (PACKAGES * CORES)
    return first, first + PACKAGES * CORES


def cpus_of(node: int) -> tuple[int, ...]:
    """The CPUs of a node; each package is one node."""
    return tuple(cpu for cpu in CPUS if package_of(cpu) == node)


def apic_id(cpu: int) -> int:
    """The package's 40-core die leaves six bits for the core and thread."""
    return package_of(cpu) << 6 | core_of(cpu) << 1 | (cpu >= PACKAGES * CORES)
