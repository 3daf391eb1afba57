"""The colours of the page and its plots, in light and in dark.

Contrast against the ground is at least 4.5 for text and 3 for lines (WCAG 2.2, levels AA: 1.4.3 and
1.4.11); a test computes it.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "ground": "#ffffff",
    "raised": "#f3f5f7",
    "text": "#1b1f24",
    "quiet": "#55606b",
    "line": "#c9d0d6",
    "accent": "#0b5f85",
    "good": "#1a6b34",
    "bad": "#b00020",
    "warn": "#8a5300",
    "banner": "#b00020",
    "on-banner": "#ffffff",
    "reference": "#0b6e99",
    "port": "#c1440e",
    "published": "#6b6b6b",
    "noise": "#6f7f8a",
    "limit": "#8a5300",
    "reference-band": "rgba(11,110,153,0.20)",
    "port-band": "rgba(193,68,14,0.20)",
    "grid": "#dfe4e8",
    "map-none": "#eef1f4",
    "map-low": "#f2f8fb",
    "map-high": "#9cc9de",
    "map-over": "#ffa79f",
    "map-most": "#ff6b5e",
}

DARK: Mapping[str, str] = {
    "ground": "#14181c",
    "raised": "#1e242a",
    "text": "#e8ecef",
    "quiet": "#a7b2bc",
    "line": "#414b54",
    "accent": "#6cc3ea",
    "good": "#74cf8f",
    "bad": "#ff8a80",
    "warn": "#f0b45a",
    "banner": "#b00020",
    "on-banner": "#ffffff",
    "reference": "#5cb8e0",
    "port": "#ff9466",
    "published": "#a0a0a0",
    "noise": "#8595a1",
    "limit": "#f0b45a",
    "reference-band": "rgba(92,184,224,0.25)",
    "port-band": "rgba(255,148,102,0.25)",
    "grid": "#2f373e",
    "map-none": "#242b31",
    "map-low": "#1c2830",
    "map-high": "#1f5f80",
    "map-over": "#9c2b23",
    "map-most": "#6d0011",
}

TEXTS = ("text", "quiet", "accent", "good", "bad", "warn")
"""Colours that text is written in, on `ground` and on `raised`."""

MAP = ("map-none", "map-low", "map-high", "map-over", "map-most")
"""Colours of a map's fields, which `text` is written on."""

LINES = ("reference", "port", "published", "noise", "limit")
"""Colours of lines and bars."""


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two '#rrggbb' (WCAG 2.2): 1 to 21."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
