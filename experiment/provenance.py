"""Where a run comes from: code, data, versions, device, switches, command line."""

from __future__ import annotations

import datetime
import hashlib
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from experiment.cifar10 import Cifar10
from experiment.options import Options

_DIGEST_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What a framework says of itself once its device is chosen."""

    framework: str
    """'PyTorch' or 'JAX'."""
    packages: tuple[str, ...]
    """Distributions whose versions decide the numbers."""
    device: str
    """For people: 'cpu' or 'gpu: NVIDIA H100'."""
    precision: dict[str, str]
    """Every switch that decides the precision of float32 products, and its value."""
    threads: int
    """CPU threads that share an operation; float32 sums depend on it."""
    code: str
    """The package whose code, with this one's, decides the numbers: 'torch_ref' or 'jax_impl'."""


def describe(
    environment: Environment, data: Cifar10, options: Options, initial_weights: str | None
) -> dict[str, Any]:
    """The content of `provenance.json`, ready for JSON.

    `initial_weights` is the digest of the weights at the start, None where a checkpoint goes on.
    """
    return {
        "framework": environment.framework,
        "versions": package_versions(environment.packages),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": environment.device,
        "precision": environment.precision,
        "threads": environment.threads,
        "data": {
            "spec": data.spec,
            "source": data.source,
            "sha256": data.fingerprint,
            "official": data.official,
            "synthetic": data.synthetic,
            "notice": data.notice,
        },
        "init": {"source": options.init, "sha256": initial_weights},
        "git": git_state(),
        "code": code_digests(environment.code),
        "command_line": [*sys.orig_argv],
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "resumed": [],
    }


def package_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of installed distributions, NumPy's with them."""
    return {name: metadata.version(name) for name in (*packages, "numpy")}


def cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def code_digests(package: str) -> dict[str, str]:
    """Beginnings of sha256 digests over the sources of `experiment` and of a package beside it.

    Unlike the git commit they also tell changed files apart, and do not change where others do.
    """
    root = Path(__file__).parents[1]
    return {name: _folder_digest(root / name) for name in ("experiment", package)}


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:_DIGEST_LENGTH]


def git_state() -> dict[str, Any] | None:
    """Commit of the checkout that this file runs from; None outside a checkout or without git."""
    folder = Path(__file__).parent
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), *arguments],
                capture_output=True,
                text=True,
                env=environment,
            )
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # An installed copy inside somebody else's checkout is not ours to name.
    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    changed = git("status", "--porcelain", "--untracked-files=no")
    return {"commit": git("rev-parse", "HEAD"), "changed_files": bool(changed)}
