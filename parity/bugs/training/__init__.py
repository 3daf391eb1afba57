"""Bugs in how weights get into a port, and in how it trains and records its training."""
