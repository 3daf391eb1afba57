"""The network in PyTorch.

python -m torch_ref.model      # its layers, output shapes and parameter counts
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from experiment.console import print_anywhere
from experiment.recipe import Recipe


class Cnn(nn.Module):
    """Three convolutions and two fully connected layers; 246,474 parameters.

    Weights and biases start as PyTorch does it, U(-1/sqrt(fan_in), 1/sqrt(fan_in)), from
    `recipe.seed`.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        torch.manual_seed(recipe.seed)
        c1, c2, c3 = recipe.channels
        self.conv1 = nn.Conv2d(3, c1, kernel_size=3)
        self.conv2 = nn.Conv2d(c1, c2, kernel_size=3)
        self.conv3 = nn.Conv2d(c2, c3, kernel_size=3)
        self.fc1 = nn.Linear(c3 * 2 * 2, recipe.hidden)
        self.fc2 = nn.Linear(recipe.hidden, recipe.classes)

    def forward(self, x: Float[Tensor, "n 3 32 32"]) -> Float[Tensor, "n 10"]:
        """Logits of pictures in [0, 1]."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (n, 64, 15, 15)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (n, 64, 6, 6)
        x = F.max_pool2d(F.relu(self.conv3(x)), 2)  # (n, 128, 2, 2)
        x = x.flatten(1)  # (n, 512) in C, H, W order
        x = F.relu(self.fc1(x))  # (n, 256)
        return self.fc2(x)


def to_canonical(model: Cnn) -> dict[str, np.ndarray]:
    """The weights under PyTorch's names in PyTorch's layouts: copies on the host, float32."""
    return {name: tensor.numpy(force=True).copy() for name, tensor in model.state_dict().items()}


def load_canonical(model: Cnn, arrays: Mapping[str, np.ndarray]) -> None:
    """Put weights in canonical form into the model, in place."""
    model.load_state_dict({name: torch.from_numpy(a.copy()) for name, a in arrays.items()})


def summary(model: Cnn, batch_size: int) -> str:
    """The layer table of torchinfo."""
    import torchinfo

    return str(torchinfo.summary(model, input_size=(batch_size, 3, 32, 32), verbose=0))


if __name__ == "__main__":
    print_anywhere()
    print(summary(Cnn(Recipe()), Recipe().batch_size))
