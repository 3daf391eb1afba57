"""Bugs in activations, and in functions that two libraries define differently."""
