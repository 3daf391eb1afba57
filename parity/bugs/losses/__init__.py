"""Bugs in losses: smoothed, weighted and squared ones."""
