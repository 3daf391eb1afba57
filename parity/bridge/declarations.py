"""What the author of a pair declares about it, beside renames and rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flatten:
    """The Linear at the reference's `path` follows a flattened picture of shape (C, H, W).

    The reference flattens it in the order C, H, W and the port in the order H, W, C, so the
    columns of the weight are permuted on the way.
    """

    path: str
    shape: tuple[int, int, int]


SLOT = "slot:"
"""How the name of an optimizer's slot begins in a waiver."""


@dataclass(frozen=True)
class Waiver:
    """A parameter or buffer of either side, by its full name, that shall have no counterpart.

    Also a slot of an optimizer, as 'slot:NAME' with the name that the verdict gives it.
    """

    name: str
    reason: str
