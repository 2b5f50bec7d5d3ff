"""Keeping house: which runs are lost, what is damaged, what nothing refers to any more."""
