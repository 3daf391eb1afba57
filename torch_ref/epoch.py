"""One pass over the training pictures, and one over the test pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from experiment.console import Watch
from experiment.history import Metrics, pass_metrics
from torch_ref.batches import DeviceBatches
from torch_ref.dataloader import DataLoaderBatches
from torch_ref.model import Cnn
from torch_ref.objective import correct, loss

STEPS_BETWEEN_LOOKS = 64
"""Steps after which the losses come to the host; looking at every one would wait for the device."""

Batches = DeviceBatches | DataLoaderBatches


def train_epoch(model: Cnn, optimizer: torch.optim.SGD, batches: Batches, watch: Watch) -> Metrics:
    """Take one step a batch, in place; loss and accuracy are measured before each step.

    `watch` is called with the losses from time to time and may raise.
    """
    model.train()
    losses, hits = [], []
    for pictures, labels in batches:
        logits = model(pictures)
        value = loss(logits, labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.detach())
        hits.append(correct(logits, labels))
        if len(losses) % STEPS_BETWEEN_LOOKS == 0:
            watch(_on_host(losses[-STEPS_BETWEEN_LOOKS:]))
    if rest := len(losses) % STEPS_BETWEEN_LOOKS:
        watch(_on_host(losses[-rest:]))
    return pass_metrics(_on_host(losses), int(sum(hits)), len(batches.order))


@torch.no_grad()
def evaluate(model: Cnn, batches: Batches) -> Metrics:
    """Loss and accuracy of the model as it is."""
    model.eval()
    losses, hits = [], []
    for pictures, labels in batches:
        logits = model(pictures)
        losses.append(loss(logits, labels))
        hits.append(correct(logits, labels))
    return pass_metrics(_on_host(losses), int(sum(hits)), len(batches.order))


def _on_host(values: list[Tensor]) -> np.ndarray:
    return torch.stack(values).numpy(force=True)
