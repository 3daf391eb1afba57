"""Capture many ports, or their references, in one process of one framework.

    python capture_all.py FOLDER torch REFERENCE...     # writes FOLDER/REFERENCE.safetensors
    python capture_all.py FOLDER jax PORT...            # needs them; writes FOLDER/PORT.safetensors

The framework is imported once, and what several ports have in common is compiled once.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ports import PORTS, REFERENCES

from parity.capture.command import capture_here
from parity.capture.plan import Job


def main(folder: Path, framework: str, names: list[str]) -> None:
    """Write a capture in float64 for each."""
    for name in names:
        oracle = None
        if framework == "torch":
            pair = REFERENCES[name]
        else:
            reference, pair = PORTS[name]
            oracle = folder / f"{reference}.safetensors"
        out = folder / f"{name}.safetensors"
        job = Job(lane="float64", seed=0, nonce="", out=out, oracle=oracle)
        capture_here(pair, framework, job, lambda _: None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
