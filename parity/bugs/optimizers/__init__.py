"""Bugs in how a port's optimizer takes its steps."""
