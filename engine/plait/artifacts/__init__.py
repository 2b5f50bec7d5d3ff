"""Values: how they become bytes, where those lie, and how an attempt's appear all at once."""
