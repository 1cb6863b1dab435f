"""What can be turned: one kind per file."""
