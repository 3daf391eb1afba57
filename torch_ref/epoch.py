"""One pass over the training pictures, and one over the test pictures."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from experiment.console import Watch
from experiment.history import Metrics, pass_metrics
from torch_ref.batches import DeviceBatches
from torch_ref.dataloader import DataLoaderBatches
from torch_ref.model import Cnn
from torch_ref.objective import correct, loss

STEPS_BETWEEN_LOOKS = 64
"""Steps after which the losses come to the host; looking at every one would wait for the device."""

_Batches = DeviceBatches | DataLoaderBatches


def train_epoch(model: Cnn, optimizer: torch.optim.SGD, batches: _Batches, watch: Watch) -> Metrics:
    """Take one step a batch, in place; loss and accuracy are measured before each step.

    `watch` is called with the losses from time to time and may raise.
    """
    model.train()
    recorded = _nothing_recorded(batches)
    for step, (pictures, labels) in enumerate(batches):
        logits = model(pictures)
        value = loss(logits, labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        _record(recorded, step, value.detach(), correct(logits, labels))
        done = step + 1
        if done % STEPS_BETWEEN_LOOKS == 0 or done == len(batches):
            first = step // STEPS_BETWEEN_LOOKS * STEPS_BETWEEN_LOOKS
            watch(recorded.losses[first:done].numpy(force=True))
    return _metrics(recorded, batches)


@torch.no_grad()
def evaluate(model: Cnn, batches: _Batches) -> Metrics:
    """Loss and accuracy of the model as it is."""
    model.eval()
    recorded = _nothing_recorded(batches)
    for step, (pictures, labels) in enumerate(batches):
        logits = model(pictures)
        _record(recorded, step, loss(logits, labels), correct(logits, labels))
    return _metrics(recorded, batches)


class _Recorded(NamedTuple):
    """What a pass records, on the device.

    Made once: a small tensor kept from every step would pin the heap between the large ones that
    come and go, and an epoch on the CPU would take gigabytes.
    """

    losses: Float32[Tensor, " batches"]
    hits: Int64[Tensor, " batches"]


def _nothing_recorded(batches: _Batches) -> _Recorded:
    losses = torch.zeros(len(batches), device=batches.device)
    return _Recorded(losses, torch.zeros_like(losses, dtype=torch.int64))


def _record(recorded: _Recorded, step: int, value: Tensor, hits: Tensor) -> None:
    recorded.losses[step] = value
    recorded.hits[step] = hits


def _metrics(recorded: _Recorded, batches: _Batches) -> Metrics:
    losses, hits = (values.numpy(force=True) for values in recorded)
    return pass_metrics(losses, int(hits.sum()), len(batches.order))
