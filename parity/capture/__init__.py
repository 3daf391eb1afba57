"""What a framework computed, written down: one process a framework, one file a capture."""
