"""Bugs in recurrent layers: biases that are missing, gates in another order."""
