"""Bytes by key: a Protocol, the local and the in-memory one, and the suite that both pass."""
