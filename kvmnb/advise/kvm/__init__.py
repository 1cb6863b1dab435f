"""Rules about KVM itself: its module, and whether guests run on it."""
