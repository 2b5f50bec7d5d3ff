"""The decorators that come with plait; none knows another."""
