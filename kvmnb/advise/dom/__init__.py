"""Rules about the two configurations of a domain."""
