"""Bugs in normalisations: their eps, their running statistics, their modes."""
