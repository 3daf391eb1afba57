"""Bugs in the port of the CIFAR-10 network."""
