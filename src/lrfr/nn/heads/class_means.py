"""Prototypes out of embeddings, for a head that starts from a trained backbone."""

import torch
from torch.nn import functional as F

from lrfr.errors import TrainingError


def class_means(embeddings: torch.Tensor, labels: torch.Tensor, num_classes: int) -> torch.Tensor:
    """Unit prototypes: the mean unit embedding of each identity, brought to unit length.

    Qi et al., "Low-Shot Learning with Imprinted Weights", CVPR 2018, section 3.

    Args:
        embeddings: (N, D), of any length.
        labels: (N,) int64, each of 0..C-1 at least once.
        num_classes: C.

    Returns:
        (C, D) float32.

    Raises:
        TrainingError: an identity has no embedding.
    """
    missing = (torch.bincount(labels, minlength=num_classes) == 0).nonzero().flatten().tolist()
    if missing:
        raise TrainingError(f"{len(missing)} of {num_classes} identities have no face: number {missing[0]}")
    sums = embeddings.new_zeros(num_classes, embeddings.shape[1], dtype=torch.float32)
    return F.normalize(sums.index_add_(0, labels, F.normalize(embeddings.float())))
