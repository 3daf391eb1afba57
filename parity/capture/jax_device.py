"""JAX's device and precision switches of a lane."""

from __future__ import annotations

import os
from typing import Any

import jax

from experiment.provenance import package_versions
from jax_impl.device import describe_environment, select_device
from parity.capture.plan import GPU_LANES, Job


def select(job: Job) -> jax.Device:
    """The lane's device, switches set, x64 on in float64. Raises `DeviceError`.

    Must run before JAX computes anything.
    """
    jax.config.update("jax_enable_x64", job.lane == "float64")
    device = "gpu" if job.lane in GPU_LANES else "cpu"
    return select_device(device, "tf32" if job.lane == "tf32" else "float32")


def describe_device(device: jax.Device) -> dict[str, Any]:
    """What the header says of them."""
    found = describe_environment(device)
    return {
        "versions": package_versions(found.packages),
        "device": found.device,
        "precision": found.precision,
        "threads": int(os.environ.get("NPROC", found.threads)),
    }
