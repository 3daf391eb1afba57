"""Whole trainings of the two frameworks, compared by statistics that could say otherwise."""
