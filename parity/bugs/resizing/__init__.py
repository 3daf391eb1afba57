"""Bugs in resizing pictures: antialiasing, corners, and which pixel is the nearest."""
