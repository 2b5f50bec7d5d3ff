"""Flows to learn from."""
