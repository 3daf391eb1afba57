"""What every capture's header says. NumPy only."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiment.provenance import git_state
from parity.capture.capture_file import write_capture
from parity.capture.plan import Job
from parity.capture.source import code_of, source_of
from parity.capture.start import BATCH_PREFIXES
from parity.pair import Pair, Training


def common_header(
    pair: Pair, job: Job, side: str, training: Training | None, model: Any
) -> dict[str, Any]:
    """The header's entries that are made alike on both sides."""
    return {
        "side": side,
        "pair": pair.name,
        "lane": job.lane,
        "seed": job.seed,
        "nonce": job.nonce,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git": git_state(),
        "code": code_of(model),
        "source": source_of(model),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": dict(training.config()) if training else {},
        "loss": pair.reference_loss is not None,
        "checks": {},
        "data": {},
        "sizes": {},
        "init": {},
        "notes": [],
    }


def write_early(path: Path, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write what the other side needs to begin: where it starts from, and what ran where."""
    prefixes = ("weight/", *BATCH_PREFIXES)
    write_capture(path, about, {n: a for n, a in arrays.items() if n.startswith(prefixes)})
