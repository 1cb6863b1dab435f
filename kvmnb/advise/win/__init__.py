"""Rules about Windows guests."""
