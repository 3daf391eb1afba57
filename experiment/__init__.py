"""What both frameworks agree on: recipe, CIFAR-10, batch order, run folder.

Nothing in here imports PyTorch or JAX.
"""
