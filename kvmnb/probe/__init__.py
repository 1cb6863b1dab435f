"""A machine's files and libvirt answers, turned into facts."""
