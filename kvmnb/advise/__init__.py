"""Facts, turned into findings: one rule, one file."""
