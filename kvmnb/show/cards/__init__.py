"""One value, one card: its HTML and its line of text."""
