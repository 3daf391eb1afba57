"""The harness's commands.

python -m parity layers     # which layer of PyTorch is which of Flax
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from parity.bridge.support import rows


def layers_table() -> str:
    """The support table in columns, a layer of PyTorch a line."""
    table = [("PyTorch", "Flax", "note"), *rows()]
    widths = [max(len(row[column]) for row in table) for column in (0, 1)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in table]
    rule = "  ".join("-" * width for width in (*widths, len("note")))
    return "\n".join([lines[0], rule, *lines[1:]])


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Words that are no command end with exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m parity", description="The parity harness.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("layers", help="print which layer of PyTorch is which of Flax")
    parser.parse_args(argv)
    print(layers_table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
