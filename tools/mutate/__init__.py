"""Mutation of the rules: `python -m tools.mutate`."""
