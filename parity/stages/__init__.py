"""One file a stage: what must agree, and where it departs. NumPy only."""
