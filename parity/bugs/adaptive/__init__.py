"""Bugs in optimizers that divide a gradient by its own magnitude."""
