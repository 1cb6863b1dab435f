"""What reads counters and gauges: one module for each source."""
