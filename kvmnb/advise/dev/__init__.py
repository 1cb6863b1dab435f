"""Rules about a guest's machine, its timers and its agent."""
