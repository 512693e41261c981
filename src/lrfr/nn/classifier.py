"""Face recognition as classification: a backbone, a margin head, cross entropy."""

from typing import Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from lrfr.config import Section
from lrfr.nn.backbones import Architecture, Embedder
from lrfr.nn.heads import ArcFace
from lrfr.nn.task import Moment, Terms
from lrfr.nn.training import Training


class MarginHead(Section):
    """ArcFace's scale s and margin m (radians)."""

    name: Literal["ArcFace"]
    scale: float = Field(gt=0)
    margin: float = Field(ge=0, lt=1.5)


class Pretrain(Section):
    """params.yaml: pretrain."""

    architecture: Architecture
    head: MarginHead
    training: Training


class Classifier(nn.Module):
    """The task of the pretraining and of every baseline.

    Args:
        embedder: the backbone, trained in place.
        settings: the head's.
        num_classes: C.
    """

    def __init__(self, embedder: Embedder, settings: MarginHead, num_classes: int) -> None:
        super().__init__()
        self.embedder = embedder
        self.head = ArcFace(embedder.architecture.embedding_dim, num_classes, settings.scale, settings.margin)

    def losses(self, images: torch.Tensor, labels: torch.Tensor, moment: Moment) -> Terms:
        """Cross entropy over the margin logits."""
        return {"classification": F.cross_entropy(self.head(self.embedder(images), labels), labels)}

    def validation_losses(self, images: torch.Tensor, labels: torch.Tensor) -> Terms:
        """Cross entropy without the margin, at full resolution."""
        return {"full": F.cross_entropy(self.head.scale * self.head.cosine(self.embedder(images)), labels)}

    def parameter_groups(self) -> list[dict[str, object]]:
        """Everything is trained."""
        return [{"params": list(self.parameters())}]

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, 3, H, W), values 0..1, to embeddings (B, D)."""
        return self.embedder(images)
