"""Numbers and sentences as the report spells them."""

from __future__ import annotations

import math
from collections.abc import Iterable


def number(value: float | None) -> str:
    """Three digits; '' for none."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    return "0" if value == 0 else f"{value:.1e}" if not 0.01 <= abs(value) < 1e4 else f"{value:.3g}"


def percent(share: float | None) -> str:
    """'58.6 %', never broken."""
    return "" if share is None else f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def mean(values: Iterable[float]) -> float:
    """Raises `ZeroDivisionError` for none."""
    found = list(values)
    return sum(found) / len(found)


def short(commit: str) -> str:
    """The beginning of a digest or commit; what marks changed files is kept."""
    return commit[:10] + ("+" if commit.endswith("+") else "")


def shortened(name: str, most: int = 36) -> str:
    """A path beside a plot; its end tells more than its beginning."""
    return name if len(name) <= most else f"...{name[len(name) - most + 3 :]}"


def counted(count: int, what: str) -> str:
    """'1 stage', '12 stages'."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".:!?" else ".")
