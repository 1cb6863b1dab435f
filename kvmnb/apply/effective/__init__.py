"""Whether a setting of a running guest's XML is in force where it works: in its QEMU process and the kernel.

No monitor command is sent: all is read from ``/proc`` and ``/sys``.
"""
