"""Bugs in attention, and in what surrounds it: embeddings, dropout, tied weights."""
