"""A machine, sampled into series."""
