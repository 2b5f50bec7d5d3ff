"""The graph of a flow, read from its source without running it; walking, validation, drawing."""
