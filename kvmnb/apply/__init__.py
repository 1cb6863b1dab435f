"""A plan, carried out: journalled, read back, undoable."""
