"""All that captures hold of the network in NumPy: passes, steps, a trajectory, teacher forcing."""

from __future__ import annotations

import numpy as np
from numpy_network import LEAF_LAYERS, Arrays, Network, identity

STEPS = (1, 2, 3, 4)
RATES = (0.1, 0.1, 0.1, 0.04)


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
