"""Runs of a flow, started from Python: from a script, a service or a notebook."""
