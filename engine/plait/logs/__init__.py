"""Lines that tasks print: made from bytes, written, read back."""
