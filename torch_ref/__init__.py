"""The reference: the CIFAR-10 CNN and its training in PyTorch."""
