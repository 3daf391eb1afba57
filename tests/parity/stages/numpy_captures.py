"""Truthful captures of the network in NumPy, and of right and wrong ports of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy_network import LEAF_LAYERS, Faults, Network, cross_entropy
from numpy_runs import RATES, STEPS, Arrays, run, start

from parity.bridge.structure import ModuleSpec, Structure, TensorSpec
from parity.capture.capture_file import SCHEMA, Capture, digest

__all__ = [
    "Faults",
    "Network",
    "cross_entropy",
    "float32_captures",
    "port_capture",
    "reference_capture",
]


def header(side: str, lane: str, seed: int, begin: Arrays) -> dict[str, Any]:
    """A truthful header."""
    timeline = [
        [kind, layer, 0, ["0"], True] for layer in LEAF_LAYERS for kind in ("enter", "exit")
    ]
    about = {
        "schema": SCHEMA, "side": side, "pair": "tiny", "lane": lane, "seed": seed, "nonce": "n1",
        "start": digest(begin), "framework": "numpy", "precision": _precision(side, lane),
        "structure": structure(side), "config": {"lr": 0.1}, "loss": True, "checks": {},
        "steps": {"update": list(STEPS), "rates": list(RATES), "trajectory": [12]},
        "slots": ["momentum_buffer"], "data": {}, "sizes": {}, "init": {}, "notes": [],
    }  # fmt: skip
    if side == "reference":
        return about | {"timeline": {"train": timeline, "eval": timeline}, "noise_runs": 0}
    modules = {layer: layer for layer in LEAF_LAYERS}
    return about | {"modules": modules, "uncompared": {}, "waivers": [], "left_out": {}}


def _precision(side: str, lane: str) -> dict[str, str]:
    if side == "port":
        x64 = "True" if lane == "float64" else "False"
        return {"jax_default_matmul_precision": "highest", "jax_enable_x64": x64}
    return {"cuda.matmul.fp32_precision": "ieee"}


def structure(side: str) -> str:
    """The model as data."""
    kinds = LEAF_LAYERS if side == "reference" else dict.fromkeys(LEAF_LAYERS, "flax.nnx.Module")
    shapes = {"conv": ((3, 2, 3, 3), (3,)), "fc1": ((5, 6), (5,)), "fc2": ((3, 5), (3,))}
    plain = {"stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "groups": 1}
    modules = tuple(
        ModuleSpec(
            path=layer,
            kind=kind,
            settings=plain | {"padding_mode": "zeros"} if layer == "conv" else {},
            tensors=tuple(
                TensorSpec(name, shape, "float32", "parameter")
                for name, shape in zip(("weight", "bias"), shapes.get(layer, ()), strict=False)
            ),
        )
        for layer, kind in kinds.items()
    )
    return Structure("torch" if side == "reference" else "flax", modules).to_json()


def reference_capture(seed: int = 0) -> Capture:
    """The reference in float64."""
    begin = start(seed)
    return Capture(header("reference", "float64", seed, begin), run(Network(), begin, None))


def port_capture(reference: Capture, faults: Faults | None = None) -> Capture:
    """A port in float64, right or wrong, started from what the reference started from."""
    seed = reference.about["seed"]
    begin = start(seed)
    arrays = run(Network(faults=faults), begin, dict(reference.arrays))
    return Capture(header("port", "float64", seed, begin), arrays)


def float32_captures(
    oracle: Capture, faults: Faults | None = None, noise_runs: int = 3
) -> tuple[Capture, Capture]:
    """Reference with its noise runs, and port, in float32; the port sums in another order."""
    seed = oracle.about["seed"]
    begin = start(seed)
    arrays = run(Network(np.float32), begin, dict(oracle.arrays))
    for number in range(noise_runs):
        random = np.random.default_rng((seed, number))
        moved = {n: _moved(a, random) for n, a in begin.items()}
        found = run(Network(np.float32), moved, dict(oracle.arrays))
        arrays |= {f"noise/{number}/{n}": a for n, a in found.items() if not n.startswith("forced")}
    about = header("reference", "float32", seed, begin) | {"noise_runs": noise_runs}
    reference = Capture(about, arrays)
    port = run(Network(np.float32, faults or reordered()), begin, dict(oracle.arrays))
    return reference, Capture(header("port", "float32", seed, begin), port)


def reordered() -> Faults:
    """No fault: rounding of another program, one unit in the last place here and there."""
    random = np.random.default_rng(5)

    def nudge(x: np.ndarray) -> np.ndarray:
        if x.dtype != np.float32:
            return x
        return x * (1 + random.integers(-1, 2, x.shape) * np.float32(2**-23)).astype(np.float32)

    return Faults(inside={"conv": nudge, "fc1": nudge, "fc2": nudge})


def _moved(array: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if array.dtype.kind != "f":
        return array
    toward = np.where(random.random(array.shape) < 0.5, np.inf, -np.inf).astype(array.dtype)
    return np.where(array == 0, array, np.nextafter(array, toward))
