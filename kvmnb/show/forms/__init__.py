"""Forms: what a reader chooses, previews and sets by a click."""
