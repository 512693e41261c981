"""CNN-6."""

from itertools import pairwise

import torch
from torch import nn

POINTS = 5
SIDE = 64  # px: the input is a square
CHANNELS = (32, 64, 128, 256, 512)
FEATURES = 1024


class CNN6(nn.Module):
    """Five 3 x 3 convolutions, each followed by ReLU and 2 x 2 max pooling, and two fully connected layers
    (Feng et al., figure 2).

    The paper leaves the initialisation open: He's, as for any network of ReLU without batch normalisation, and torch's
    small one in the last layer, so that training begins near the points that it is given.

    Args:
        width: factor on the channels; 1 is the published network.
        start: (10,) the points that are predicted before training, px of the 64 px input; their mean in the training
            faces. The middle of the image when None.
    """

    def __init__(self, width: float = 1.0, start: torch.Tensor | None = None) -> None:
        super().__init__()
        self.width = width
        channels = [3, *(max(1, round(width * published)) for published in CHANNELS)]
        hidden = max(1, round(width * FEATURES))
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        side = SIDE // 2 ** len(CHANNELS)
        layers += [nn.Flatten(), nn.Linear(channels[-1] * side**2, hidden), nn.ReLU()]
        self.features, self.output = nn.Sequential(*layers), nn.Linear(hidden, 2 * POINTS)
        for layer in layers:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # pyrefly: ignore
        with torch.no_grad():
            self.output.bias.copy_(torch.full((2 * POINTS,), SIDE / 2) if start is None else start)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """RGB images (B, 3, 64, 64), values 0..1, to points (B, 10), float32: x, y in px of these images."""
        features = self.features(images * 2 - 1)
        with torch.autocast(images.device.type, enabled=False):  # bfloat16 knows places in the picture to 1/4 px
            return self.output(features.float())
