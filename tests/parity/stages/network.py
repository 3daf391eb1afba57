"""A small network in NumPy that writes truthful captures of itself, and of wrong ports.

Input (n, 2, 6, 5) -> conv (3x3 by hand, 2->3) -> relu -> pool 2x2 -> flatten C-H-W -> fc1 -> tanh
-> fc2 -> logits (n, 3). The backward pass is written by hand and checked against differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.bridge.structure import ModuleSpec, Structure, TensorSpec
from parity.capture.capture_file import SCHEMA, Capture, digest

Arrays = dict[str, np.ndarray]
STEPS = (1, 2, 3, 4)
RATES = (0.1, 0.1, 0.1, 0.04)
MOMENTUM, DECAY = 0.9, 0.01
LEAF_LAYERS = {
    "conv": "torch.nn.Conv2d", "relu": "torch.nn.ReLU", "pool": "torch.nn.MaxPool2d",
    "fc1": "torch.nn.Linear", "fc2": "torch.nn.Linear",
}  # fmt: skip


def identity(x: np.ndarray) -> np.ndarray:
    """No fault."""
    return x


@dataclass
class Faults:
    """What a wrong port does otherwise; each entry replaces one right function."""

    before: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    """Layer -> what is done to what it is given: a fault between two layers."""
    inside: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    """Layer -> what is done to what it returns: a fault of the layer."""
    shown: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    """Layer -> what is done to what is written down only: a rewrite."""
    loss: Callable[[np.ndarray, np.ndarray, int], float] | None = None
    split_ties: bool = False
    slope: float = 0.0
    update: Callable[..., tuple[np.ndarray, np.ndarray]] | None = None


def correlate(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """(n, c, h, w) with (o, c, 3, 3), no padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, w)


def windows_of(x: np.ndarray) -> np.ndarray:
    """(n, c, h, w) -> (n, c, h/2, w/2, 4), odd ends left out."""
    n, c, h, w = x.shape
    cut = x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2)
    return cut.transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)


def windows_back(parts: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `windows_of`, zeros at odd ends."""
    n, c, h, w, _ = parts.shape
    whole = np.zeros(shape, parts.dtype)
    picture = parts.reshape(n, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    whole[:, :, : 2 * h, : 2 * w] = picture.reshape(n, c, 2 * h, 2 * w)
    return whole


def cross_entropy(logits: np.ndarray, targets: np.ndarray, _full: int = 0) -> float:
    """Mean over the batch."""
    shifted = logits - logits.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -logs[np.arange(len(targets)), targets].mean()


class Network:
    """The network with faults; `dtype` is the arithmetic."""

    def __init__(self, dtype: Any = np.float64, faults: Faults | None = None) -> None:
        self.dtype, self.faults = np.dtype(dtype), faults or Faults()

    def call(self, layer: str, x: np.ndarray, p: Arrays) -> np.ndarray:
        """One layer's output."""
        if layer == "conv":
            y = correlate(x, p["conv.weight"]) + p["conv.bias"][:, None, None]
        elif layer == "relu":
            y = np.maximum(x, 0)
        elif layer == "pool":
            y = windows_of(x).max(-1)
        else:
            y = x @ p[f"{layer}.weight"].T + p[f"{layer}.bias"]
        return self.faults.inside.get(layer, identity)(y)

    def back(
        self, layer: str, x: np.ndarray, g: np.ndarray, p: Arrays
    ) -> tuple[np.ndarray, Arrays]:
        """d loss / d input and parameters, given d loss / d output."""
        if layer == "conv":
            windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))
            weight = np.einsum("nchwij,nohw->ocij", windows, g)
            padded = np.pad(g, ((0, 0), (0, 0), (2, 2), (2, 2)))
            kernel = p["conv.weight"][:, :, ::-1, ::-1].swapaxes(0, 1)
            own = {"conv.weight": weight, "conv.bias": g.sum((0, 2, 3))}
            return correlate(padded, kernel), own
        if layer == "relu":
            slope = np.where(x > 0, 1.0, np.where(x == 0, self.faults.slope, 0.0))
            return g * slope.astype(self.dtype), {}
        if layer == "pool":
            parts = windows_of(x)
            ties = parts == parts.max(-1, keepdims=True)
            if self.faults.split_ties:
                share = ties / ties.sum(-1, keepdims=True)
            else:
                share = ties & (ties.cumsum(-1) == 1)
            return windows_back(share.astype(self.dtype) * g[..., None], x.shape), {}
        own = {f"{layer}.weight": g.T @ x, f"{layer}.bias": g.sum(0)}
        return g @ p[f"{layer}.weight"], own

    def forward(self, x: np.ndarray, p: Arrays) -> tuple[np.ndarray, Arrays, Arrays]:
        """Logits, what each layer was given, what each returned."""
        given, made = {}, {}
        for layer in LEAF_LAYERS:
            if layer == "fc1":
                x = x.reshape(len(x), -1)
            if layer == "fc2":
                x = np.tanh(x)
            x = self.faults.before.get(layer, identity)(x)
            given[layer] = x
            x = made[layer] = self.call(layer, x, p)
        return x, given, made

    def loss(self, logits: np.ndarray, targets: np.ndarray, full: int) -> np.ndarray:
        """Scalar."""
        value = (self.faults.loss or cross_entropy)(logits, targets, full)
        return np.asarray(value, self.dtype)

    def derivative(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """d cross-entropy / d logits."""
        powers = np.exp(logits - logits.max(1, keepdims=True))
        chances = powers / powers.sum(1, keepdims=True)
        chances[np.arange(len(targets)), targets] -= 1
        return chances / len(targets)

    def gradients(
        self, x: np.ndarray, targets: np.ndarray, p: Arrays
    ) -> tuple[Arrays, Arrays, np.ndarray]:
        """Gradients by parameter, cotangents by layer, and the logits."""
        logits, given, made = self.forward(x, p)
        g = self.derivative(logits, targets)
        gradients: Arrays = {}
        cotangents = {"output": g}
        for layer in reversed(LEAF_LAYERS):
            cotangents[layer] = g
            g, own = self.back(layer, given[layer], g, p)
            gradients |= own
            if layer == "fc2":
                g = g * (1 - np.tanh(made["fc1"]) ** 2)
            if layer == "fc1":
                g = g.reshape(made["pool"].shape)
        return {name: gradients[name] for name in p}, cotangents, logits

    def update(
        self, p: np.ndarray, g: np.ndarray, buffer: np.ndarray | None, rate: float, step: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """SGD with momentum and weight decay, as PyTorch's."""
        if self.faults.update:
            return self.faults.update(p, g, buffer, rate, step)
        given = g + np.asarray(DECAY, self.dtype) * p
        kept = given if buffer is None else np.asarray(MOMENTUM, self.dtype) * buffer + given
        return p - np.asarray(rate, self.dtype) * kept, kept


def start(seed: int) -> Arrays:
    """Weights, inputs and targets; ties in the pooling and zeros in the ReLU are on purpose."""
    random = np.random.default_rng(seed)
    shapes = {
        "conv.weight": (3, 2, 3, 3), "conv.bias": (3,), "fc1.weight": (5, 6), "fc1.bias": (5,),
        "fc2.weight": (3, 5), "fc2.bias": (3,),
    }  # fmt: skip
    arrays = {f"weight/{n}": random.normal(size=s) * 0.4 for n, s in shapes.items()}
    # With the flat and the empty picture: exact positive ties in one channel, zeros in another.
    arrays["weight/conv.bias"][[0, 2]] = 0.0, 4.0
    for batch, n in (("", 8), (".short", 3)):
        pictures = random.uniform(0.1, 1, (n, 2, 6, 5))
        pictures[0] = 0.5
        pictures[1] = 0.0
        arrays[f"input{batch}/0"] = pictures
        arrays[f"target{batch}/0"] = random.integers(0, 3, n)
    return {n: a.astype(np.float32) if a.dtype.kind == "f" else a for n, a in arrays.items()}


def run(network: Network, begin: Arrays, oracle: Arrays | None) -> Arrays:
    """All that a capture holds, but initialisation and data."""
    cast = {n: a.astype(network.dtype) if a.dtype.kind == "f" else a for n, a in begin.items()}
    p = {n.removeprefix("weight/"): a for n, a in cast.items() if n.startswith("weight/")}
    arrays = dict(cast)
    arrays |= _passes(network, cast, p)
    arrays |= _steps(network, cast, p)
    arrays |= _trajectory(network, cast, p)
    truth = oracle if oracle is not None else dict(arrays)
    arrays |= _forced(network, cast, p, truth)
    return arrays


def _passes(network: Network, cast: Arrays, p: Arrays) -> Arrays:
    arrays: Arrays = {}
    full = len(cast["input/0"])
    for name, batch in (("train", ""), ("eval", ""), ("short", ".short")):
        x, targets = cast[f"input{batch}/0"], cast[f"target{batch}/0"]
        logits, given, made = network.forward(x, p)
        arrays[f"{name}/output/0"] = logits
        arrays[f"{name}/loss"] = network.loss(logits, targets, full)
        if name == "short":
            continue
        for layer in LEAF_LAYERS:
            show = network.faults.shown.get(layer, identity)
            arrays[f"{name}/enter/{layer}#0/0"] = given[layer]
            arrays[f"{name}/exit/{layer}#0/0"] = show(made[layer])
    gradients, cotangents, _ = network.gradients(cast["input/0"], cast["target/0"], p)
    arrays |= {f"gradient/{n}": g for n, g in gradients.items()}
    arrays |= {
        "cotangent/output/0" if n == "output" else f"cotangent/{n}#0/0": g
        for n, g in cotangents.items()
    }
    return arrays


def _steps(network: Network, cast: Arrays, p: Arrays) -> Arrays:
    arrays: Arrays = {}
    p, buffers = dict(p), dict.fromkeys(p)
    for step, rate in zip(STEPS, RATES, strict=True):
        x, targets = np.roll(cast["input/0"], step, 0), cast["target/0"]
        gradients, _, logits = network.gradients(x, targets, p)
        arrays[f"update/{step}/loss"] = network.loss(logits, targets, len(x))
        for name, g in gradients.items():
            arrays[f"update/{step}/gradient/{name}"] = g
            p[name], buffers[name] = network.update(p[name], g, buffers[name], rate, step)
            arrays[f"update/{step}/parameter/{name}"] = p[name]
            arrays[f"update/{step}/slot/momentum_buffer/{name}"] = buffers[name]
    arrays["after/eval/output/0"] = network.forward(cast["input/0"], p)[0]
    return arrays


def _trajectory(network: Network, cast: Arrays, p: Arrays) -> Arrays:
    arrays: Arrays = {}
    p, buffers, losses = dict(p), dict.fromkeys(p), []
    for step in range(1, 13):
        x, targets = np.roll(cast["input/0"], step, 0), cast["target/0"]
        gradients, _, logits = network.gradients(x, targets, p)
        losses.append(network.loss(logits, targets, len(x)))
        for name, g in gradients.items():
            p[name], buffers[name] = network.update(p[name], g, buffers[name], 0.05, step)
    arrays["trajectory/losses"] = np.array(losses)
    arrays |= {f"trajectory/12/parameter/{n}": a for n, a in p.items()}
    arrays |= {f"trajectory/12/slot/momentum_buffer/{n}": a for n, a in buffers.items()}
    return arrays


def _forced(network: Network, cast: Arrays, p: Arrays, truth: Arrays) -> Arrays:
    def given(name: str) -> np.ndarray:
        return truth[name].astype(network.dtype)

    arrays: Arrays = {}
    for name in ("train", "eval"):
        for layer in LEAF_LAYERS:
            made = network.call(layer, given(f"{name}/enter/{layer}#0/0"), p)
            show = network.faults.shown.get(layer, identity)
            arrays[f"forced/{name}/exit/{layer}#0/0"] = show(made)
    for layer in LEAF_LAYERS:
        x, g = given(f"train/enter/{layer}#0/0"), given(f"cotangent/{layer}#0/0")
        back, own = network.back(layer, x, g, p)
        arrays[f"forced/cotangent/{layer}#0/0"] = back
        arrays |= {f"forced/gradient/{layer}#0/{n}": a for n, a in own.items()}
    for name, batch in (("train", ""), ("short", ".short")):
        logits, targets = given(f"{name}/output/0"), cast[f"target{batch}/0"]
        arrays[f"forced/{name}/loss"] = network.loss(logits, targets, len(cast["input/0"]))
    logits = given("train/output/0")
    arrays["forced/cotangent/output/0"] = network.derivative(logits, cast["target/0"])
    buffers = dict.fromkeys(p)
    for step, rate in zip(STEPS, RATES, strict=True):
        for name in p:
            before = f"weight/{name}" if step == 1 else f"update/{step - 1}/parameter/{name}"
            g = given(f"update/{step}/gradient/{name}")
            moved, buffers[name] = network.update(given(before), g, buffers[name], rate, step)
            arrays[f"forced/update/{step}/parameter/{name}"] = moved
            arrays[f"forced/update/{step}/slot/momentum_buffer/{name}"] = buffers[name]
    last = {n: given(f"update/4/parameter/{n}") for n in p}
    arrays["forced/after/eval/output/0"] = network.forward(cast["input/0"], last)[0]
    return arrays


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
