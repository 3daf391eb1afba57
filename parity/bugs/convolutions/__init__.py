"""Bugs in convolutions, transposed convolutions and poolings: padding, groups, dilation, flips."""
