"""One chart, one question."""
