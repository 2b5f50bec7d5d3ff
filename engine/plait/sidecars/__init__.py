"""Helper processes that are told how a run goes, and that never hold it up."""
