"""The small program that writes host settings for an ordinary user, and nothing else."""
