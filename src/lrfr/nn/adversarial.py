"""Two players: a discriminator that tells real things from made ones, and what makes them; least squares (LSGAN).

Mao, Li, Xie, Lau, Wang & Paul Smolley, "Least Squares Generative Adversarial Networks", ICCV 2017, with the targets 1
for what is real and 0 for what is made.
"""

import torch
from torch import nn

from lrfr.errors import TrainingError

REMEDY = (
    "lower the learning rate of the player that wins (training.optimizers.discriminator), give the other one more "
    "turns, or weigh the adversarial term otherwise; a longer `collapse.window` waits longer"
)


def discriminator_loss(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """E[(D(y) - 1)^2] + E[D(G(x))^2] of a discriminator's outputs for real and for made things, of any shapes."""
    return (real.float() - 1).square().mean() + made.float().square().mean()


def generator_loss(made: torch.Tensor) -> torch.Tensor:
    """E[(D(G(x)) - 1)^2] of a discriminator's outputs for made things, of any shape."""
    return (made.float() - 1).square().mean()


@torch.no_grad()
def accuracy(real: torch.Tensor, made: torch.Tensor, threshold: float = 0.5) -> torch.Tensor:
    """The share of a discriminator's outputs that are on the right side of a threshold, real and made ones alike."""
    return ((real > threshold).float().mean() + (made <= threshold).float().mean()) / 2


class Saturation(nn.Module):
    """Sees that a value stays where nothing is learnt any more, over many updates in a row; its count is saved.

    Args:
        what: the value, in words.
        low: at or below it is saturated.
        high: at or above it is saturated.
        window: so many updates in a row.
    """

    updates: torch.Tensor

    def __init__(self, what: str, low: float, high: float, window: int) -> None:
        super().__init__()
        self.what, self.low, self.high, self.window = what, low, high, window
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def see(self, value: float, step: int) -> None:
        """Takes in the value of update ``step``, from 0.

        Raises:
            TrainingError: it has been saturated for the whole window.
        """
        saturated = value <= self.low or value >= self.high
        self.updates.fill_(int(self.updates) + 1 if saturated else 0)
        if int(self.updates) >= self.window:
            said = f"the {self.what} has been {self.low:g} or less, or {self.high:g} or more, for {self.window} updates"
            raise TrainingError(
                f"the adversarial training has collapsed: {said}; at update {step} it is {value:.4g}", remedy=REMEDY
            )
