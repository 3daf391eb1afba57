"""Choose the device and the float32 precision before anything is computed."""

from __future__ import annotations

from typing import Any

import torch

from experiment.options import DeviceError
from experiment.provenance import Environment

FRAMEWORK = "PyTorch"

_PRECISION_SWITCHES: dict[str, Any] = {
    "cuda.matmul.fp32_precision": torch.backends.cuda.matmul,
    "cudnn.conv.fp32_precision": torch.backends.cudnn.conv,  # type: ignore[attr-defined]
}


def select_device(device: str, precision: str, threads: int | None = None) -> torch.device:
    """The device for 'cpu', 'gpu' or 'auto', with TF32 off ('float32') or on ('tf32').

    `threads` sets the number of CPU threads, so that a resumed run repeats bit for bit; None keeps
    PyTorch's choice. Raises `DeviceError` for 'gpu' where PyTorch sees none.
    """
    # PyTorch's own default is TF32 in cuDNN convolutions and strict products.
    for switch in _PRECISION_SWITCHES.values():
        switch.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    if threads is not None:
        torch.set_num_threads(threads)
    if device == "gpu" and not torch.cuda.is_available():
        raise DeviceError(
            "--device gpu: PyTorch sees no CUDA GPU (torch.cuda.is_available() is false); "
            "use --device cpu, or install a driver for the GPU"
        )
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def describe_environment(device: torch.device) -> Environment:
    """What decides the numbers of a run on `device`, for its provenance."""
    on_gpu = device.type == "cuda"
    return Environment(
        framework=FRAMEWORK,
        packages=("torch",),
        device=f"gpu: {torch.cuda.get_device_name(device)}" if on_gpu else "cpu",
        precision={name: switch.fp32_precision for name, switch in _PRECISION_SWITCHES.items()},
        threads=torch.get_num_threads(),
        code="torch_ref",
    )
