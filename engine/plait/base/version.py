"""The one place that knows plait's version."""

VERSION = "0.1.0"
