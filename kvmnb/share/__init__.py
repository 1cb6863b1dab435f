"""Machines and what was found on them as files for other people: recordings, scrubbed, and their differences."""
