"""Pairs that come with the harness; `python -m parity verify NAME` takes the module's name."""
