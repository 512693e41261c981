"""A backbone with everything around it that turns faces into embeddings."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, field_validator
from torch import nn

from lrfr.config import Positive, Section
from lrfr.errors import ImageError, ParameterError, unknown_name
from lrfr.nn.networks import NETWORKS
from lrfr.nn.networks.face_network import feature_map_shape
from lrfr.nn.networks.shape import Shape
from lrfr.nn.perceptibility import PerceptibilityAttention
from lrfr.nn.quality_heads import QualityHeadSettings, build_quality_head
from lrfr.nn.resolution import Interpolation, to_size
from lrfr.nn.super_resolution.settings import SuperResolution

SMALLEST_SIDE, LARGEST_SIDE = 16, 1024  # px
TOLERANCE = 1e-3  # what rounding and resampling may add to 0..1

Side = Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)]


class Preprocessing(Section):
    """How a network wants its images: ``(value - mean) / std`` of values 0..1, in the network's own channel order.

    Attributes:
        colour: the order of the network's channels.
        mean: of each of its channels, on values 0..1.
        std: of each of its channels, on values 0..1.
        interpolation: by which faces are resized for it, see :func:`lrfr.nn.resolution.to_size`.
    """

    colour: Literal["RGB", "BGR"] = "RGB"
    mean: list[Annotated[float, Field(ge=-1e6, le=1e6)]] = Field([0.5, 0.5, 0.5], min_length=3, max_length=3)
    std: list[Positive] = Field([0.5, 0.5, 0.5], min_length=3, max_length=3)
    interpolation: Interpolation = "bilinear"


class Architecture(Section):
    """All that is needed to build a backbone again.

    Attributes:
        backbone: a name in :data:`lrfr.nn.networks.NETWORKS`, or one of timm's.
        width: factor on the channels of our own backbones; 1 is the published network, and timm's have no other.
        embedding_dim: D. Where the averaged features of timm's models, or of SE-ResNet-50, are as wide, they are the
            embedding; else one FC follows them.
        input_size: what faces are resized to, px: the side of a square, or [height, width].
        dropout: probability before the last layer, 0..1.
        preprocessing: resizing, colour order and normalisation, which the embedder alone applies.
        super_resolution: the network that faces go through before the backbone, if any.
        quality: the head that predicts the quality of an image, if any.
        attended: whether the embedding is that of perceptibility attention, and not the backbone's own.
    """

    backbone: str
    width: float = Field(1.0, ge=0.05, le=4)
    embedding_dim: int = Field(gt=1, le=65_536)
    input_size: Side | list[Side]
    dropout: float = Field(ge=0, lt=1)
    preprocessing: Preprocessing = Preprocessing()
    super_resolution: SuperResolution | None = None
    # Left out where they say nothing: models without them are described, and hashed, as ever
    quality: QualityHeadSettings | None = Field(default=None, exclude_if=lambda quality: quality is None)
    attended: bool = Field(default=False, exclude_if=lambda attended: not attended)

    @field_validator("input_size", mode="before")
    @classmethod
    def _is_a_size(cls, given: object) -> object:
        sides = given if isinstance(given, list) and len(given) == 2 else [given]
        if not all(type(side) is int and SMALLEST_SIDE <= side <= LARGEST_SIDE for side in sides):
            limits = f"{SMALLEST_SIDE} to {LARGEST_SIDE} px"
            raise ValueError(f"a size is the side of a square or [height, width], {limits}")
        return given

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images that the network takes, px."""
        if isinstance(self.input_size, int):
            return self.input_size, self.input_size
        height, width = self.input_size
        return height, width


class Embedder(nn.Module):
    """A backbone with its own resizing, super-resolution, colour order and normalisation, so that none is forgotten.

    Takes RGB images (B, 3, H, W) of any size, values 0..1, whatever its backbone takes.

    Args:
        architecture: all that is known of it.
        backbone: in place of the one that the architecture names.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, architecture: Architecture, backbone: nn.Module | None = None) -> None:
        super().__init__()
        self.architecture = architecture
        self.backbone = _backbone(architecture) if backbone is None else backbone
        chosen = architecture.super_resolution
        self.super_resolution = chosen.build() if chosen is not None else None
        self.quality = self.attention = None
        if architecture.quality is not None or architecture.attended:
            shape = feature_map_shape(self.backbone, architecture.size, architecture.backbone)
            dimension = architecture.embedding_dim
            if architecture.quality is not None:
                self.quality = build_quality_head(architecture.quality, shape, dimension)
            if architecture.attended:
                self.attention = PerceptibilityAttention(shape, dimension)
        for name in ("mean", "std"):
            value = torch.tensor(getattr(architecture.preprocessing, name)).view(1, 3, 1, 1)
            self.register_buffer(name, value, persistent=False)  # it is a part of the architecture

    @property
    def predicts_quality(self) -> bool:
        """Whether it gives a quality beside the embedding; a graph that was imported may do so by itself."""
        return self.quality is not None or getattr(self.backbone, "predicts_quality", False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """RGB images (B, 3, H, W), values 0..1, to embeddings (B, D), float32, not normalised to unit length.

        Raises:
            ImageError: not RGB images of floating point; in evaluation mode also values outside 0..1 and NaN.
        """
        return self.recognise(self._checked(images))

    def assess(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The embeddings (B, D) that :meth:`forward` gives, and the quality (B,), float32, of each image, the higher
        the better; None where the model predicts none.

        Raises:
            ImageError: as :meth:`forward`.
        """
        faces = self._checked(images)
        if not self.predicts_quality:
            return self.recognise(faces), None
        if self.quality is None:
            return self.backbone.assess(self._normalised(faces))  # pyrefly: ignore - an imported graph
        features = self._features(faces)
        embedding = self.embedding_of(features)
        return embedding, self.quality(features, embedding)

    def feature_map(self, images: torch.Tensor) -> torch.Tensor:
        """RGB images (B, 3, H, W), values 0..1, to the backbone's last feature map (B, C, h, w).

        Raises:
            ImageError: as :meth:`forward`.
        """
        return self._features(self._checked(images))

    def embedding_of(self, features: torch.Tensor) -> torch.Tensor:
        """A feature map (B, C, h, w) to the embeddings (B, D), float32, that the model gives."""
        if self.attention is not None:
            return self.attention(features)
        return self.backbone.forward_head(features).float()  # pyrefly: ignore - ours and timm's have it

    def super_resolve(self, images: torch.Tensor) -> torch.Tensor:
        """RGB images (B, 3, H, W) of any size, values 0..1, at the network's size, super-resolved if it does so.

        Super-resolved values may lie a little outside 0..1.
        """
        preprocessing = self.architecture.preprocessing
        images = to_size(images, self.architecture.size, preprocessing.interpolation)
        return images if self.super_resolution is None else self.super_resolution(images)

    def recognise(self, faces: torch.Tensor) -> torch.Tensor:
        """Faces (B, 3, H, W) that :meth:`super_resolve` made, to embeddings (B, D), float32, of any length."""
        if self.attention is not None:
            return self.embedding_of(self._features(faces))
        return self.backbone(self._normalised(faces)).float()

    def _checked(self, images: torch.Tensor) -> torch.Tensor:
        if not torch.jit.is_tracing():
            _refuse_what_is_no_image(images, look_at_values=not self.training)
        return self.super_resolve(images)

    def _features(self, faces: torch.Tensor) -> torch.Tensor:
        return self.backbone.forward_features(self._normalised(faces))  # pyrefly: ignore - ours and timm's have it

    def _normalised(self, faces: torch.Tensor) -> torch.Tensor:
        if self.architecture.preprocessing.colour == "BGR":
            faces = faces.flip(1)
        return ((faces - self.mean) / self.std).contiguous(memory_format=torch.channels_last)


def with_quality(embedder: Embedder, quality: QualityHeadSettings | None, attended: bool = False) -> Embedder:
    """The same networks with a new head that predicts the quality, and with new attention, where asked for.

    Raises:
        ParameterError: the backbone has no feature map.
    """
    if quality is None and not attended:
        return embedder
    added = {"quality": quality, "attended": attended}
    whole = Embedder(embedder.architecture.model_copy(update=added), embedder.backbone)
    whole.super_resolution = embedder.super_resolution
    return whole.train(embedder.training)


def _refuse_what_is_no_image(images: torch.Tensor, look_at_values: bool) -> None:
    """Refuses what can only be a mistake. In training nobody looks at the values: on a GPU that would make the
    processor wait in every update, and training's images come from one place."""
    if images.ndim != 4 or images.shape[1] != 3:
        raise ImageError(f"images of shape {tuple(images.shape)}", remedy="give RGB images (B, 3, H, W)")
    if not images.is_floating_point():
        raise ImageError(f"images of type {images.dtype}", remedy="give values 0..1: images.float() / 255")
    if look_at_values and images.numel():
        low, high = (value.item() for value in torch.aminmax(images))
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):  # NaN fails both
            guess = "are they 0..255? " if high > 2 else "are they normalised already? " if low < 0 else ""
            raise ImageError(
                f"an image's values lie in {low:.4g}..{high:.4g}, not in 0..1",
                remedy=f"{guess}give RGB values 0..1; the embedder normalises them itself",
            )


def _backbone(architecture: Architecture) -> nn.Module:
    """Our own network, or timm's of that name.

    Raises:
        ParameterError: neither we nor timm know the name, or the width is asked of one of timm's.
    """
    if architecture.backbone in NETWORKS:
        shape = Shape(architecture.size, architecture.embedding_dim, architecture.dropout, architecture.width)
        return NETWORKS[architecture.backbone].build(shape)
    import timm  # 5 s: only for those who ask for one of its models

    if not timm.is_model(architecture.backbone):
        raise unknown_name("backbone", architecture.backbone, [*NETWORKS, *timm.list_models()[:20], "... (timm's)"])
    if architecture.width != 1:
        raise ParameterError(
            f"width {architecture.width:g} for '{architecture.backbone}', which timm makes in one width",
            remedy="leave `width` out, or take one of our own backbones: " + ", ".join(sorted(NETWORKS)),
        )
    published = timm.get_pretrained_cfg(architecture.backbone)
    changed = published and published.fixed_input_size and published.input_size[1:] != architecture.size
    settings: dict[str, Any] = {"img_size": architecture.size} if changed else {}
    network: Any = timm.create_model(
        architecture.backbone, num_classes=architecture.embedding_dim, drop_rate=architecture.dropout, **settings
    )
    if getattr(network, "head_hidden_size", network.num_features) == architecture.embedding_dim:
        network.reset_classifier(0)
    return network
