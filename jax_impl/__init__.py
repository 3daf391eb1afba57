"""The port: the CIFAR-10 CNN and its training in JAX, Flax NNX and Optax."""
