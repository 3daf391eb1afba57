"""PyTorch's device and precision switches of a lane."""

from __future__ import annotations

from typing import Any

import torch

from experiment.provenance import package_versions
from parity.capture.plan import GPU_LANES, Job
from torch_ref.device import describe_environment, select_device


def select(job: Job) -> torch.device:
    """The lane's device, switches set. Raises `DeviceError` for a GPU lane without GPU."""
    device = "gpu" if job.lane in GPU_LANES else "cpu"
    selected = select_device(device, "tf32" if job.lane == "tf32" else "float32", job.threads)
    # A capture before this one in the same process has left its own, which models are drawn in.
    torch.set_default_dtype(torch.float32)
    # The fused kernels of transformers in eval mode go past the layers, and past their hooks.
    torch.backends.mha.set_fastpath_enabled(False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    if selected.type == "cuda":  # a pair's own training puts its data where the default is
        torch.set_default_device(selected)
    return selected


def describe_device(device: torch.device) -> dict[str, Any]:
    """What the header says of them."""
    found = describe_environment(device)
    return {
        "versions": package_versions(found.packages),
        "device": found.device,
        "precision": found.precision,
        "threads": found.threads,
    }
