"""The harness: crosses contexts, graphs and templates into flows, runs them, judges the results."""

from plait_harness.template import FlowTest, steps, tag

__all__ = ["FlowTest", "steps", "tag"]
