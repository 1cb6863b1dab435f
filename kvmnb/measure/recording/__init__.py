"""Series on disk: one file that a session leaves, read back as a source of series and by pandas."""
