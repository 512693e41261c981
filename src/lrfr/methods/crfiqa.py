"""CR-FIQA: a quality that is trained to predict how classifiable a face is; a rival of RI's.

Boutros, Fang, Klemm, Fu & Damer, "CR-FIQA: Face Image Quality Assessment by Learning Sample Relative Classifiability",
CVPR 2023, section 3: recognition by ArcFace, and beside it a regression on the embedding of each training face's
certainty ratio, its cosine with its own prototype over that with the nearest other one. The ratio is a target without
gradient; the regression's gradient reaches the backbone, as in the paper's CR-FIQA and unlike its "on top" variant.
"""

from collections.abc import Mapping

import torch
from pydantic import Field, field_validator
from torch.nn import functional as F

from lrfr.config import Section, Weight
from lrfr.errors import ParameterError
from lrfr.nn.classifier import Classifier
from lrfr.nn.embedder import Embedder, with_quality
from lrfr.nn.heads import HeadSettings
from lrfr.nn.heads.head import cosines
from lrfr.nn.model_file import Model
from lrfr.nn.quality_heads import ClassifiabilitySettings
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, StepContext, Terms

METRIC = "cosine"
COLLECTIONS = {"auxiliary": "auxiliary", "training": "native"}  # by step
EPSILON = 1e-9  # eq 4
THRESHOLD = 0.5  # eq 5


class Settings(Section):
    """The head, the weight lambda of the regression (eq 6; 10 as published), and the trainings."""

    head: HeadSettings
    classifiability_weight: Weight = Field(default=10.0)
    auxiliary: Training | None = None
    training: Training

    @field_validator("head")
    @classmethod
    def _is_whole(cls, head: HeadSettings) -> HeadSettings:
        if getattr(head, "sample_rate", 1) < 1:
            raise ValueError("the nearest of all other identities is looked for: leave sample_rate out")
        return head


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """On auxiliary faces, if wanted, then on native ones."""
    wanted = COLLECTIONS if settings.auxiliary else ["training"]
    return {step: (COLLECTIONS[step],) for step in wanted}


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> "ClassifiabilityLearning":
    """The backbone with new heads.

    Raises:
        ParameterError: the backbone has no feature map, or a collection has a single identity.
    """
    for name, count in num_classes.items():
        if count < 2:
            what = f"the {name} faces show {count} identity, and the ratio needs the nearest other one"
            raise ParameterError(what, remedy="train on two identities at least")
    return ClassifiabilityLearning(settings, backbone.embedder, num_classes)


@torch.no_grad()
def certainty_ratio(embedding: torch.Tensor, prototypes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """CR of eq 4: CCS / (NNCCS + 1 + 1e-9), with the cosines of eq 2 and 3; without gradient.

    Args:
        embedding: (B, D), of any length.
        prototypes: (C, D), C at least 2.
        labels: (B,) int64.

    Returns:
        (B,); the higher, the more classifiable.
    """
    cosine = cosines(embedding, prototypes)
    own = F.one_hot(labels, len(prototypes)).bool()
    return cosine[own] / (cosine.masked_fill(own, -torch.inf).amax(1) + 1 + EPSILON)


def classifiability_loss(predicted: torch.Tensor, ratio: torch.Tensor) -> torch.Tensor:
    """eq 5: the smooth L1 distance of the prediction (B,) from the ratio (B,), threshold 0.5, mean over B."""
    return F.smooth_l1_loss(predicted, ratio, beta=THRESHOLD)


class ClassifiabilityLearning(Classifier):
    """A classifier, and the regression beside it."""

    def __init__(self, settings: Settings, embedder: Embedder, num_classes: Mapping[str, int]) -> None:
        super().__init__(embedder, settings.head, num_classes)
        self.weight = settings.classifiability_weight
        self.embedder = with_quality(embedder, ClassifiabilitySettings(name="classifiability"))

    def begin(self, step: str) -> None:
        """Takes the head of the step's collection."""
        self.learn_from(COLLECTIONS[step])

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """eq 6: the head's terms, and lambda times the regression."""
        (faces,) = batch.values()
        embedding, predicted = self.embedder.assess(faces.images)
        assert predicted is not None
        ratio = certainty_ratio(embedding, self.head.weight, faces.labels)
        terms: Terms = self.head.losses(embedding, faces.labels)
        return terms | {"classifiability": self.weight * classifiability_loss(predicted, ratio)}
