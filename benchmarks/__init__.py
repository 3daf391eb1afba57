"""Trainings of the exact recipe, timed side by side. Described in docs/performance.md."""
