"""Wants, turned into a plan that can be read, saved and reviewed."""
