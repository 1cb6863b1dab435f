"""The one door to the outside: files and libvirt."""
