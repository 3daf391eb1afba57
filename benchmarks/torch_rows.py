"""PyTorch's rows: each function returns what one repeat does, and does its first setting up.

The tuned row is PyTorch as well as we can write it: on a GPU one CUDA graph of the whole step over
static buffers, channels_last, fused SGD; on a CPU channels_last, the faster of what was tried.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from experiment.batches import epoch_order
from experiment.recipe import Recipe
from torch_ref.batches import DeviceBatches, Split, device_batches, to_device
from torch_ref.dataloader import DataLoaderBatches, Pictures
from torch_ref.device import select_device
from torch_ref.epoch import evaluate, train_epoch
from torch_ref.model import Cnn
from torch_ref.objective import loss
from torch_ref.optimizer import build_optimizer

Repeat = Callable[[], float]
"""Does the work once, waits until it is done, and returns the last loss."""


def on_device(recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str) -> Repeat:
    """torch_ref as shipped."""
    place = select_device(device, recipe.precision)
    model = Cnn(recipe).to(place)
    return _epochs(recipe, model, to_device(images, labels, place))


def compiled(recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str) -> Repeat:
    """The same with the model compiled; on a GPU with the mode that takes CUDA graphs."""
    place = select_device(device, recipe.precision)
    model = Cnn(recipe).to(place)
    model.compile(mode="reduce-overhead" if place.type == "cuda" else None)
    return _epochs(recipe, model, to_device(images, labels, place))


def from_loader(recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str) -> Repeat:
    """The tutorial as published: DataLoader, and the loss fetched at every step."""
    place = select_device(device, recipe.precision)
    model = Cnn(recipe).to(place)
    optimizer = build_optimizer(model, recipe)
    order = epoch_order(recipe.seed, 1, len(labels))
    batches = DataLoaderBatches(Pictures(images, labels), order, recipe.batch_size, place)

    def repeat() -> float:
        value, hits = 0.0, 0
        for pictures, wanted in batches:
            logits = model(pictures)
            objective = loss(logits, wanted)
            optimizer.zero_grad()
            objective.backward()
            optimizer.step()
            hits += int((logits.argmax(1) == wanted).sum().item())
            value = objective.item()
        return value

    return repeat


def tuned(recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str) -> Repeat:
    """The best PyTorch we can write."""
    place = select_device(device, recipe.precision)
    split = to_device(images, labels, place)
    split = Split(split.images.contiguous(memory_format=torch.channels_last), split.labels)
    model = Cnn(recipe).to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if place.type != "cuda":
        return _epochs(recipe, model, split)
    return graph_epochs(recipe, model, split, cuda_graph)


def evaluation(recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str) -> Repeat:
    """Loss and accuracy over all the pictures."""
    place = select_device(device, recipe.precision)
    model = Cnn(recipe).to(place)
    batches = _batches(recipe, to_device(images, labels, place))
    return lambda: evaluate(model, batches).loss


def _batches(recipe: Recipe, split: Split) -> DeviceBatches:
    order = epoch_order(recipe.seed, 1, len(split.labels))
    return device_batches(split, order, recipe.batch_size)


def _epochs(recipe: Recipe, model: Cnn, split: Split) -> Repeat:
    optimizer = build_optimizer(model, recipe)
    batches = _batches(recipe, split)
    return lambda: train_epoch(model, optimizer, batches, lambda losses: None).loss


Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""Makes of a step a function that does the same step again."""


def cuda_graph(step: Callable[[], None]) -> Callable[[], None]:
    """The step as one CUDA graph, after three steps on a side stream that PyTorch asks for."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def graph_epochs(recipe: Recipe, model: Cnn, split: Split, capture: Capture) -> Repeat:
    """Steps over static buffers: the batch's indices are copied in, the step is played again.

    The short batch has no place in a graph of full batches and takes a plain step.
    """
    fused = split.images.device.type == "cuda"
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.learning_rate, fused=fused)
    rows = [rows.contiguous() for rows in _batches(recipe, split).order.split(recipe.batch_size)]
    indices = rows[0].clone()
    last = torch.zeros((), device=indices.device)

    def step_on(indices: torch.Tensor) -> None:
        pictures = split.images[indices].float() / recipe.pixel_divisor
        value = loss(model(pictures), split.labels[indices])
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        last.copy_(value.detach())

    replay = capture(lambda: step_on(indices))

    def repeat() -> float:
        for row in rows:
            if len(row) == len(indices):
                indices.copy_(row)
                replay()
            else:
                step_on(row)
        return last.item()

    return repeat


def device_memory() -> int | None:
    """Largest memory in use on the GPU so far."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def floor(device: str, precision: str) -> dict[str, float]:
    """Seconds of a large product and a large copy, and how large they are."""
    from benchmarks.floor import COPY, SIDE, best

    place = select_device(device, precision)
    a, b = torch.rand(SIDE, SIDE, device=place), torch.rand(SIDE, SIDE, device=place)
    x = torch.zeros(COPY, device=place)

    def timed(work: Callable[[], object]) -> float:
        def done() -> None:
            work()
            if place.type == "cuda":
                torch.cuda.synchronize()

        return best(done)

    return {"product": timed(lambda: a @ b), "copy": timed(x.clone)}
