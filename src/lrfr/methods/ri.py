"""RI: the recognizability index, learnt and raised while recognition is learnt.

Chai, Ng, Low, Park & Teoh, "Recognizability Embedding Enhancement for Very Low-Resolution Face Recognition and Quality
Estimation", CVPR 2023, section 3. Fine-tuning by ArcFace with three terms beside it, each with its weight in eq 10; a
term of weight 0 is not there, nor what it alone needs. Rows of Table 4: the baseline has none of them, I the index
diversion, II the attention, III the regression, the last row all.

The index is a target: no gradient goes through it. The predicted index is the image's quality, and a part of the model
wherever eq 4 or eq 7 trains it; row I's has learnt nothing but to be high.

Where the paper is silent:

- **tau** is in a supplement that we do not have. Section 3.3 asks for "a statistically significant deviation in the
  upper tail" of N(0, 1): 1.645 leaves 5 % of the unrecognizable faces above it. Fig. 3's curves are sweeps of the
  weights; tau is swept too.
- **The centre of the unrecognizable faces (UIs)** is the mean of the L2-normalised embeddings of K faces (eq 2), as the
  deployed model would embed them, and is computed anew after every ``center_every`` updates: it moves as the model is
  trained. K is also the number of draws of eq 6, which are made once.
- **eq 8** takes the centre at unit length, as its text says.
- **eq 9** is the mean over the batch and the dimensions, as "the mean squared error loss" of the text is in the usual
  libraries, not the sum over dimensions as printed: embeddings are of any length here, and of D = 512 the printed sum
  would outweigh eq 10's other terms a hundredfold. What is approximated, v', is a target without gradient, like the
  index: otherwise shorter embeddings would make the term small.
- **Regression** (eq 4) reaches the backbone through the feature map: row III would equal the baseline if it did not.
- **Which embedding is deployed**: the backbone's own, v, by which the classes are learnt; with ``deployed: attended``
  the attended one. Both come of the same training.
- Dropout before the regression is not given: 0.4, as before AdaFace's embedding.
"""

from collections.abc import Mapping
from typing import Literal, Self

import torch
from pydantic import Field, field_validator, model_validator
from torch import nn
from torch.nn import functional as F

from lrfr.config import Section, Weight
from lrfr.errors import ParameterError
from lrfr.nn.batches.images import in_order
from lrfr.nn.classifier import Classifier
from lrfr.nn.compute import as_deployed
from lrfr.nn.embedder import Embedder, with_quality
from lrfr.nn.heads import HeadSettings
from lrfr.nn.heads.head import cosines
from lrfr.nn.model_file import Model
from lrfr.nn.networks.face_network import feature_map_shape
from lrfr.nn.perceptibility import PerceptibilityAttention
from lrfr.nn.quality_heads import RecognizabilitySettings
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Optimizers, StepContext, Terms

METRIC = "cosine"
COLLECTIONS = {"auxiliary": "auxiliary", "training": "native"}  # by step
EPSILON = 1e-7  # eq 3
THRESHOLD = 0.75  # eq 4
BATCH = 128  # unrecognizable faces that are embedded at a time


class Settings(Section):
    """The weights of eq 10, what else the terms need, and the trainings.

    Attributes:
        head: the classification loss; ArcFace as published.
        recognizability_weight: alpha of eq 10, of the regression (eq 4); 5 as published.
        diversion_weight: beta, of the index diversion (eq 7); 2 as published.
        projection_weight: gamma, of the attention's approximation (eq 9); 1 as published.
        tau: of eq 7, in standard deviations of the unrecognizable faces' index; 0 to 10.
        unrecognizable: K, how many unrecognizable faces the centre is the mean of; 5,000 as published.
        center_every: updates until the centre is computed anew.
        dropout: before the regression, 0..1.
        deployed: whose embedding the model gives: the ``backbone``'s, or the ``attended`` one.
        auxiliary: a step on HR faces that comes first, if any, by the same terms.
        training: the fine-tuning on native faces.
    """

    head: HeadSettings
    recognizability_weight: Weight = 5.0
    diversion_weight: Weight = 2.0
    projection_weight: Weight = 1.0
    tau: float = Field(default=1.645, gt=0, le=10)
    unrecognizable: int = Field(gt=1, le=10**6)
    center_every: int = Field(default=100, gt=0, le=10**6)
    dropout: float = Field(default=0.4, ge=0, lt=1)
    deployed: Literal["backbone", "attended"] = "backbone"
    auxiliary: Training | None = None
    training: Training

    @field_validator("head")
    @classmethod
    def _is_whole(cls, head: HeadSettings) -> HeadSettings:
        if getattr(head, "sample_rate", 1) < 1:
            raise ValueError("the nearest of all other identities is looked for (eq 1): leave sample_rate out")
        return head

    @model_validator(mode="after")
    def _has_attention(self) -> Self:
        if self.deployed == "attended" and not self.projection_weight:
            raise ValueError("deployed: attended needs a projection_weight above 0, which trains the attention")
        return self


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """On auxiliary faces, if wanted, then on native ones."""
    wanted = COLLECTIONS if settings.auxiliary else ["training"]
    return {step: (COLLECTIONS[step],) for step in wanted}


def unrecognizable(settings: Settings) -> int:
    """How many unrecognizable faces a run of these settings needs: K, or none where no term compares with them."""
    return settings.unrecognizable if settings.recognizability_weight or settings.projection_weight else 0


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> "RecognizabilityLearning":
    """The backbone with new heads.

    Raises:
        ParameterError: the backbone has no feature map, or a collection has a single identity.
    """
    for name, count in num_classes.items():
        if count < 2:
            what = f"the {name} faces show {count} identity, and the index needs the nearest other one (eq 1)"
            raise ParameterError(what, remedy="train on two identities at least")
    return RecognizabilityLearning(settings, backbone.embedder, num_classes)


@torch.no_grad()
def recognizability_index(
    embedding: torch.Tensor, prototypes: torch.Tensor, labels: torch.Tensor, ui_center: torch.Tensor
) -> torch.Tensor:
    """xi of eq 3: d_UI d_N / (d_P + 1e-7), from the cosine distances of eq 1 and 2; without gradient.

    Args:
        embedding: v, (B, D), of any length.
        prototypes: w, (C, D), C at least 2.
        labels: (B,) int64.
        ui_center: u, (D,), the mean of the unrecognizable faces' normalised embeddings.

    Returns:
        (B,), at least 0; the higher, the better a face is recognised.
    """
    cosine = cosines(embedding, prototypes)
    own = F.one_hot(labels, len(prototypes)).bool()
    positive = 1 - cosine[own]
    negative = 1 - cosine.masked_fill(own, -torch.inf).amax(1)
    return ui_distance(embedding, ui_center) * negative / (positive + EPSILON)


def ui_distance(embedding: torch.Tensor, ui_center: torch.Tensor) -> torch.Tensor:
    """d_UI of eq 2: 1 - cos(v, u) of embeddings (B, D) and the centre (D,), (B,)."""
    return 1 - cosines(embedding, ui_center[None])[:, 0]


def recognizability_loss(predicted: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """eq 4: the smooth L1 distance of the predicted index (B,) from the index (B,), threshold 0.75, mean over B."""
    return F.smooth_l1_loss(predicted, index, beta=THRESHOLD)


def index_diversion_loss(
    predicted: torch.Tensor, mu: torch.Tensor | float, sigma: torch.Tensor | float, tau: float
) -> torch.Tensor:
    """eq 7: max(0, tau - (xi - mu) / sigma) of the predicted index (B,), with eq 5's diversion, mean over B."""
    return (tau - (predicted - mu) / sigma).clamp(min=0).mean()


def project_away(embedding: torch.Tensor, ui_center: torch.Tensor) -> torch.Tensor:
    """eq 8: v' = v - <v, u> u, with u at unit length, of embeddings (B, D) and the centre (D,): orthogonal to it."""
    unit = F.normalize(ui_center, dim=0)
    return embedding - (embedding @ unit)[:, None] * unit


def projection_loss(projected: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """eq 9: the mean squared error of the attended embedding (B, D) from the projected one (B, D)."""
    return F.mse_loss(attended, projected)


class RecognizabilityLearning(Classifier):
    """Fig. 2: a classifier, the regression of the index, and the attention, over one feature map.

    Args:
        settings: the run's.
        embedder: the backbone, trained in place.
        num_classes: C of each collection.
    """

    ui_center: torch.Tensor
    mu: torch.Tensor
    sigma: torch.Tensor

    def __init__(self, settings: Settings, embedder: Embedder, num_classes: Mapping[str, int]) -> None:
        super().__init__(embedder, settings.head, num_classes)
        self.settings = settings
        predicts = bool(settings.recognizability_weight or settings.diversion_weight)
        self.embedder = with_quality(
            embedder,
            RecognizabilitySettings(name="recognizability", dropout=settings.dropout) if predicts else None,
            settings.deployed == "attended",
        )
        architecture = embedder.architecture
        self.attention: nn.Module | None = self.embedder.attention
        if settings.projection_weight and self.attention is None:
            shape = feature_map_shape(embedder.backbone, architecture.size, architecture.backbone)
            self.attention = PerceptibilityAttention(shape, architecture.embedding_dim)
        self.register_buffer("ui_center", torch.zeros(architecture.embedding_dim))
        self.register_buffer("mu", torch.zeros(()))
        self.register_buffer("sigma", torch.ones(()))
        if settings.diversion_weight:  # eq 6
            drawn = torch.randn(settings.unrecognizable)
            self.mu, self.sigma = drawn.mean(), drawn.std()

    def begin(self, step: str) -> None:
        """Takes the head of the step's collection."""
        self.learn_from(COLLECTIONS[step])

    def before_update(self, batch: Batch, context: StepContext, optimizers: Optimizers) -> None:
        """Computes the centre of the unrecognizable faces anew, where its turn has come."""
        if self.unrecognizable is not None and context.step % self.settings.center_every == 0:
            self.ui_center = self._ui_center()

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """The terms of eq 10, weighted."""
        (faces,) = batch.values()
        chosen = self.settings
        features = self.embedder.feature_map(faces.images)
        embedding = self.embedder.backbone.forward_head(features).float()  # pyrefly: ignore - ours and timm's have it
        terms: Terms = self.head.losses(embedding, faces.labels)
        if self.embedder.quality is not None:
            predicted = self.embedder.quality(features, embedding)
            if chosen.recognizability_weight:
                index = recognizability_index(embedding, self.head.weight, faces.labels, self.ui_center)
                terms["recognizability"] = chosen.recognizability_weight * recognizability_loss(predicted, index)
            if chosen.diversion_weight:
                diversion = index_diversion_loss(predicted, self.mu, self.sigma, chosen.tau)
                terms["index_diversion"] = chosen.diversion_weight * diversion
        if self.attention is not None:
            projected = project_away(embedding.detach(), self.ui_center)
            terms["projection"] = chosen.projection_weight * projection_loss(projected, self.attention(features))
        return terms

    @torch.no_grad()
    def _ui_center(self) -> torch.Tensor:
        """u of eq 2, (D,): the mean of the normalised embeddings of the first K unrecognizable faces, by the backbone
        in evaluation mode."""
        assert self.unrecognizable is not None
        count = self.settings.unrecognizable
        total = torch.zeros_like(self.ui_center)
        with as_deployed(self.embedder):
            for images in in_order(self.unrecognizable, count, BATCH):
                features = self.embedder.feature_map(images.to(total.device))
                embedding = self.embedder.backbone.forward_head(features).float()  # pyrefly: ignore
                total += F.normalize(embedding).sum(0)
        return total / count
