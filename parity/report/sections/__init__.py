"""The report's sections, each from what it shows to blocks. NumPy only."""
