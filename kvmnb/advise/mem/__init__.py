"""Rules about memory: hugepages, merging, swap, balloons and what backs a guest."""
