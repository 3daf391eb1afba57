"""Weights both ways between PyTorch and Flax NNX: names and layouts, never a silent guess."""
