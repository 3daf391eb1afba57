"""Bugs that need a black area before a convolution without bias."""
