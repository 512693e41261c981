"""Class activation maps: where a model looks when it finds a face like another of the same person.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-Based Localization", ICCV 2017, by the
package ``grad-cam``. RI's Fig. 5 has the maps of a class; people who are tested are no class, so the target is the
cosine of the embedding with a reference embedding.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lrfr.nn.embedder import Embedder


class _FeatureMap(nn.Module):
    """The layer that is looked at."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.embedder.feature_map(images)


class _InTwoParts(nn.Module):
    """An embedder whose feature map is the output of a module, as the package wants it."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.features = _FeatureMap(embedder)
        self.embedder = embedder

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.embedder.embedding_of(self.features(images))


class _Likeness(nn.Module):
    """The cosine of an embedding (D,) with a reference (D,)."""

    def __init__(self, reference: torch.Tensor) -> None:
        super().__init__()
        self.reference = reference

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        return F.cosine_similarity(embedding, self.reference, dim=0)


def activation_map(embedder: Embedder, image: torch.Tensor, reference: torch.Tensor) -> np.ndarray:
    """Where the likeness of a face to a reference comes from.

    Args:
        embedder: in evaluation mode, with a feature map.
        image: (1, 3, H, W), values 0..1, as the embedder takes it.
        reference: (D,), another embedding of the person.

    Returns:
        (H, W), 0..1, the largest value 1; 0 throughout where nothing speaks for the likeness.
    """
    from pytorch_grad_cam import GradCAM  # 8 s: matplotlib and more

    whole = _InTwoParts(embedder).eval()
    with GradCAM(model=whole, target_layers=[whole.features]) as cam:
        return cam(input_tensor=image, targets=[_Likeness(reference)])[0]


def overlaid(image: np.ndarray, activation: np.ndarray) -> np.ndarray:
    """A face (H, W, 3), uint8, RGB, under the map (H, W) in colours, blue to red."""
    from pytorch_grad_cam.utils.image import show_cam_on_image

    return show_cam_on_image(image.astype(np.float32) / 255, activation, use_rgb=True)
