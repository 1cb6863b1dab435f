"""Rules about host NUMA nodes and guest NUMA cells."""
