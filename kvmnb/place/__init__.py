"""Which host CPUs and nodes each guest gets."""
