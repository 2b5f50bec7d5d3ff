"""The one place that names concrete classes: settings in; stores, workers and runs out."""
