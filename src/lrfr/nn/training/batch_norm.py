"""Batch normalisation over the batch of all processes, so that several train as one would."""

from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lrfr.errors import TrainingError

PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def synchronise_batch_norm(module: nn.Module, device: torch.device) -> nn.Module:
    """``module`` with every batch normalisation over the whole batch; parameters, buffers and names stay.

    On a GPU these are torch's own, which do not run on a processor.

    Raises:
        TrainingError: a batch normalisation of another kind than torch's plain ones, such as timm's fused ones.
    """
    for name, part in module.named_modules():
        if isinstance(part, _BatchNorm) and type(part) not in (*PLAIN, nn.SyncBatchNorm, SynchronisedBatchNorm):
            raise TrainingError(
                f"the statistics of '{name}' ({type(part).__name__}) cannot be taken over several processes",
                remedy="train in one process, or choose a backbone of our own (lrfr_...)",
            )
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for parent in list(module.modules()):
        for name, part in parent.named_children():
            if isinstance(part, PLAIN):
                setattr(parent, name, SynchronisedBatchNorm(part))
    return module


class SynchronisedBatchNorm(_BatchNorm):
    """Batch normalisation whose mean and variance in training are those of the batches of all processes together.

    Args:
        plain: whose parameters, statistics and settings it takes over.
    """

    def __init__(self, plain: _BatchNorm) -> None:
        super().__init__(plain.num_features, plain.eps, plain.momentum, plain.affine, plain.track_running_stats)
        self.weight, self.bias = plain.weight, plain.bias
        for name, buffer in plain.named_buffers():
            self.register_buffer(name, buffer)
        self.train(plain.training)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(B, C, ...) to the same shape and type; means and variances are of float32."""
        if not self.training:
            return super().forward(input)
        dims = [dim for dim in range(input.ndim) if dim != 1]
        shape = [1 if dim != 1 else -1 for dim in range(input.ndim)]
        values = input.float()
        count = torch.full((1,), values.numel() / values.shape[1], device=values.device)
        sums = summed(torch.cat([values.sum(dims), count]))
        count = sums[-1:].detach()
        mean = sums[:-1] / count
        centred = values - mean.view(shape)
        variance = summed(centred.square().sum(dims)) / count
        self._follow(mean.detach(), variance.detach(), count)
        normalised = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            normalised = normalised * self.weight.view(shape) + self.bias.view(shape)
        return normalised.to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: torch.Tensor, variance: torch.Tensor, count: torch.Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        weight = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(variance * count / (count - 1), weight)

    def _check_input_dim(self, input: torch.Tensor) -> None:
        """Any number of dimensions will do."""


def summed(tensor: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor over all processes. Each of them uses it, so its gradient is the sum of theirs."""
    return _SumOverProcesses.apply(tensor)


class _SumOverProcesses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor) -> torch.Tensor:
        return _sum_over_processes(tensor)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return _sum_over_processes(*gradients)


def _sum_over_processes(tensor: torch.Tensor) -> torch.Tensor:
    total = tensor.clone()
    dist.all_reduce(total)
    return total
