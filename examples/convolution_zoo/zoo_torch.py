"""One convolution of every kind that PyTorch has, each on the model's own inputs."""

from __future__ import annotations

from torch import Tensor, nn


class Branch(nn.Module):
    """Layers side by side on one input; returns what each makes of it, by name."""

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {name: layer(x) for name, layer in self.named_children()}


class Signals(Branch):
    """One dimension: (n, 4, length)."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.Conv1d(4, 6, 3)
        self.strided = nn.Conv1d(4, 6, 4, stride=3, padding=2)
        self.dilated = nn.Conv1d(4, 6, 3, dilation=3, groups=2)
        self.same = nn.Conv1d(4, 6, 4, padding="same")
        self.reflect = nn.Conv1d(4, 6, 3, padding=3, padding_mode="reflect")
        self.replicate = nn.Conv1d(4, 6, 3, padding=2, padding_mode="replicate")
        self.circular = nn.Conv1d(4, 6, 5, padding=2, padding_mode="circular")
        self.up = nn.ConvTranspose1d(4, 6, 4, stride=3, padding=1, output_padding=2)
        self.up_grouped = nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2, dilation=2)


class Pictures(Branch):
    """Two dimensions: (n, 4, height, width)."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.Conv2d(4, 6, (3, 2))
        self.pointwise = nn.Conv2d(4, 6, 1, bias=False)
        self.strided = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.strided_by_axis = nn.Conv2d(4, 6, (4, 3), stride=(2, 3), padding=(2, 0))
        self.same = nn.Conv2d(4, 6, (3, 4), padding="same", dilation=(1, 3))
        self.valid = nn.Conv2d(4, 6, 5, padding="valid")
        self.dilated = nn.Conv2d(4, 6, 3, padding=2, dilation=2)
        self.grouped = nn.Conv2d(4, 6, 3, groups=2)
        self.depthwise = nn.Conv2d(4, 8, 3, padding=1, groups=4)
        self.reflect = nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect")
        self.reflect_wide = nn.Conv2d(4, 6, 3, padding=(3, 2), padding_mode="reflect")
        self.replicate = nn.Conv2d(4, 6, 3, stride=2, padding=2, padding_mode="replicate")
        self.circular = nn.Conv2d(4, 6, 3, padding=2, dilation=2, padding_mode="circular")
        self.circular_same = nn.Conv2d(4, 6, 4, padding="same", padding_mode="circular")
        self.up = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1)
        self.up_dilated = nn.ConvTranspose2d(4, 6, (2, 3), stride=(3, 1), dilation=(1, 2))
        self.up_grouped = nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1, groups=2)


class Volumes(Branch):
    """Three dimensions: (n, 2, depth, height, width)."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.Conv3d(2, 4, (2, 3, 3))
        self.strided = nn.Conv3d(2, 4, 3, stride=(1, 2, 3), padding=(0, 1, 2), groups=2)
        self.dilated = nn.Conv3d(2, 4, 2, dilation=(1, 2, 3))
        self.reflect = nn.Conv3d(2, 4, 3, padding=(1, 2, 3), padding_mode="reflect")
        self.replicate = nn.Conv3d(2, 4, 2, padding=1, padding_mode="replicate")
        self.circular = nn.Conv3d(2, 4, 3, padding=1, padding_mode="circular")
        self.up = nn.ConvTranspose3d(
            2, 4, (2, 3, 4), stride=(1, 2, 3), padding=(0, 1, 2), output_padding=(0, 1, 2), groups=2
        )


class ConvolutionZoo(nn.Module):
    """All branches; outputs by branch and layer."""

    def __init__(self) -> None:
        super().__init__()
        self.signals = Signals()
        self.pictures = Pictures()
        self.volumes = Volumes()

    def forward(
        self, signal: Tensor, picture: Tensor, volume: Tensor
    ) -> dict[str, dict[str, Tensor]]:
        return {
            "signals": self.signals(signal),
            "pictures": self.pictures(picture),
            "volumes": self.volumes(volume),
        }
