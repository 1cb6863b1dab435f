"""Rules about the host's storage and services."""
