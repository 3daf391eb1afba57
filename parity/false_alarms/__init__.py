"""How often a right pair fails: verified with many seeds, tallied, and written down."""
