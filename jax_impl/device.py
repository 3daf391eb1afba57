"""Choose the device and the float32 precision before anything is computed."""

from __future__ import annotations

from typing import Any

import jax

from experiment.cifar10 import cache_root
from experiment.options import DeviceError
from experiment.provenance import Environment, cores

FRAMEWORK = "JAX"


def select_device(device: str, precision: str, threads: int | None = None) -> jax.Device:
    """The device for 'cpu', 'gpu' or 'auto', with TF32 off ('float32') or on ('tf32').

    `threads` is the number of CPU threads of a resumed run. XLA takes one a core and cannot be told
    otherwise, so a difference is only reported (by the run folder). Raises `DeviceError` for 'gpu'
    where JAX sees none.
    """
    # JAX's own default is TF32 in products and convolutions.
    jax.config.update(
        "jax_default_matmul_precision", "tensorfloat32" if precision == "tf32" else "highest"
    )
    _keep_compiled_programs()
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    try:
        found = jax.devices()[0]
    except Exception as error:  # a backend that JAX_PLATFORMS names fails in ways of its own
        raise DeviceError(
            f"--device {device}: JAX cannot start its backend ({error}); use --device cpu, "
            "or unset JAX_PLATFORMS"
        ) from error
    if device == "gpu" and found.platform != "gpu":
        raise DeviceError(
            f"--device gpu: JAX sees no GPU (its backend is {found.platform}); "
            "use --device cpu, or install the extra cuda12 or cuda13 and a driver for the GPU"
        )
    return found


def describe_environment(device: jax.Device) -> Environment:
    """What decides the numbers of a run on `device`, for its provenance."""
    on_gpu = device.platform == "gpu"
    return Environment(
        framework=FRAMEWORK,
        packages=("jax", "jaxlib", "flax", "optax", "orbax-checkpoint"),
        device=f"gpu: {device.device_kind}" if on_gpu else "cpu",
        precision={
            "jax_default_matmul_precision": str(_setting("jax_default_matmul_precision")),
            "jax_enable_x64": str(_setting("jax_enable_x64")),
        },
        threads=cores(),  # XLA takes one for each
        code="jax_impl",
    )


def _setting(name: str) -> Any:
    return getattr(jax.config, name)  # jax.config's attributes are made at run time


def _keep_compiled_programs() -> None:
    """Use JAX's persistent compile cache, in our own folder unless the user named one."""
    if _setting("jax_compilation_cache_dir") is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_root() / "jax"))
    # The initialisation is many small programs that together compile as long as the epoch.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
