"""The words and values that every floor shares; imports nothing of plait."""
