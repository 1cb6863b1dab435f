"""Well-known advice that does not hold: one myth, one file."""
