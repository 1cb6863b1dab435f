"""Values, turned into what the reader sees."""
