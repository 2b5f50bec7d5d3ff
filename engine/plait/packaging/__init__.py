"""Code packages: the source that a flow ran with, as one archive; same files, same bytes."""
