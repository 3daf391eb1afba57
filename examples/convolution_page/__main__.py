"""Writes docs/convolution.md and its pictures from what both frameworks compute.

python -m examples.convolution_page            # from the repository's root
python -m examples.convolution_page --out FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.convolution_page.drawing import draw
from examples.convolution_page.more_options import LOOKALIKES, MORE_OPTIONS
from examples.convolution_page.options import OPTIONS
from examples.convolution_page.page import write_page
from experiment.storage import write_atomically

DOCS = Path(__file__).resolve().parents[2] / "docs"


def main(arguments: list[str] | None = None) -> int:
    """Write the page and its pictures. Raises OSError."""
    parser = argparse.ArgumentParser(prog="python -m examples.convolution_page")
    parser.add_argument("--out", type=Path, default=DOCS, help="folder (default: docs)")
    folder = parser.parse_args(arguments).out
    options = (*OPTIONS, *MORE_OPTIONS)
    page = write_page(options, LOOKALIKES)
    write_atomically(folder / "convolution.md", page.encode())
    (folder / "figures").mkdir(exist_ok=True)
    for option in options:
        if option.drawn != "nothing":
            draw(option, folder / "figures" / f"convolution_{option.key}.png")
    print(f"wrote {folder / 'convolution.md'} and its pictures")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
