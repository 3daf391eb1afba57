"""The parity harness: proves that a port computes what its reference computes."""
