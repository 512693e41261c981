"""RAN: the resolution adaption network, "generate to adapt".

Fang, Deng, Zhong & Hu, "Generate to Adapt: Resolution Adaption Network for Surveillance Face Recognition", ECCV 2020,
sections 3.4 and 4.2; the LR faces are a synthesiser's (section 3.2, :mod:`lrfr.synthesis.mrgan`). Three models: HR, the
backbone; LR, the backbone fine-tuned on synthetic LR faces, then frozen; MR, the backbone fine-tuned on HR faces by
ArcFace, by eq 10 under the LR model's features. The steps:

- ``lr_model``: the LR model, on ``synthetic`` faces. Without further steps it is what is deployed: the rows of Table 1
  without adaption.
- ``training``: the adaption, on pairs of an HR face and its synthetic LR version.
- ``finetuning``: on native faces, as on SCface in Table 3. Without it the rows are "w/o FT".

Without ``translator`` the HR features themselves are drawn to the LR ones (section 4.3, Fig. 6).

Where the paper is silent:

- **The classifiers** of LR and MR start as the backbone's own, margin included; it knows the same people.
- **Pairs**: the LR face is made of the HR one, and both are varied alike.
- **Norms**: eq 9's L1 distance is a mean over the dimensions; its probabilities are those of the LR model's classifier,
  frozen, without a margin, for translated and for real features.
- **The gate's weight** W is no less than 0, which least squares does not promise, and is taken as given: no gradient
  goes through it, so that nothing is learnt by moving the gate.
- **The discriminator**: two hidden layers of D, leaky ReLU of 0.2. It has its turn after the others', on the features
  that these saw. The translator is trained with the MR model: by SGD, where the paper names Adam for "adversarial
  learning".
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Self

import torch
from pydantic import model_validator
from torch import nn
from torch.nn import functional as F

from lrfr.config import Count, Section, Weight
from lrfr.errors import ParameterError
from lrfr.nn.adversarial import Saturation, accuracy, discriminator_loss, generator_loss
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import Head, classifier_of
from lrfr.nn.model_file import Model
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms
from lrfr.nn.translation.settings import Collapse

METRIC = "cosine"
COLLECTIONS: dict[str, tuple[str, ...]] = {  # by step
    "lr_model": ("synthetic",),
    "training": ("auxiliary", "synthetic"),
    "finetuning": ("native",),
}
LEAST_GATE, MOST_GATE = 0.05, 0.9999  # of W, as the mean over a batch; beyond, the discriminator says nothing


class Settings(Section):
    """The variant, the weights of eq 10, and the trainings.

    Attributes:
        translator: whether a translator stands between the HR features and the LR ones.
        adversarial_weight: alpha; 0.05 as published.
        probability_weight: beta; 0.04.
        feature_weight: gamma; 10.
        adversarial_every: updates of the discriminator from one generator's term to the next; 4.
        collapse: when the adaption is stopped.
        lr_model: of the LR model.
        training: of the adaption; None: the LR model is deployed.
        finetuning: of the deployed model on native faces; None: it stays as it is.
    """

    translator: bool = True
    adversarial_weight: Weight = 0.05
    probability_weight: Weight = 0.04
    feature_weight: Weight = 10.0
    adversarial_every: Count = 4
    collapse: Collapse = Collapse()
    lr_model: Training
    training: Training | None = None
    finetuning: Training | None = None

    @model_validator(mode="after")
    def _pairs_are_as_large(self) -> Self:
        for key in ("tight_crops", "images_per_identity"):
            if self.training is not None and getattr(self.training, key):
                raise ValueError(f"the adaption learns from pairs of faces: leave training.{key} out")
        return self


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Those that are wanted."""
    return {step: collections for step, collections in COLLECTIONS.items() if getattr(settings, step) is not None}


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> "ResolutionAdaption":
    """The models, from the backbone, which knows the same auxiliary identities.

    Raises:
        ParameterError: the backbone has no classifier, or one of other identities.
    """
    if backbone.facts.head is None or backbone.prototypes is None:
        what = "the LR and the MR model start with the backbone's classifier, and it has none"
        raise ParameterError(what, remedy="start from a backbone that was trained here; `epochs: 0` gives one a head")
    known, people = len(backbone.prototypes), num_classes["synthetic"]
    if known != people:
        what = f"the backbone's classifier knows {known:,} identities, and the synthetic faces show {people:,}"
        raise ParameterError(what, remedy="make both anew: dvc repro")
    return ResolutionAdaption(settings, backbone, num_classes)


def gate_weight(d: torch.Tensor) -> torch.Tensor:
    """W of eq 8: 1 - |D(T(f_HR)) - 0.5| of the discriminator's outputs (B, 1), no less than 0, without gradient."""
    return (1 - (d.detach() - 0.5).abs()).clamp(min=0)


def translation_gate(d: torch.Tensor, translated: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
    """eq 8: W T(f_HR) + (1 - W) f_HR.

    Args:
        d: the discriminator's outputs for translated features, (B, 1).
        translated: T(f_HR), (B, D).
        hr: f_HR, (B, D).
    """
    weight = gate_weight(d)
    return weight * translated + (1 - weight) * hr


def feature_loss(translated: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """L_f of eq 9: the L1 distance of translated and real LR features (B, D), each at length 1; the mean."""
    return (F.normalize(translated.float()) - F.normalize(real.float())).abs().mean()


def probability_loss(translated: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """L_p of eq 9: sum p log(p / q) over the identities, p of real and q of translated features, by their logits
    (B, C); the mean over the batch."""
    logits = translated.float(), real.float()
    q, p = (F.log_softmax(each, dim=1) for each in logits)
    return F.kl_div(q, p, reduction="batchmean", log_target=True)


class Translator(nn.Sequential):
    """T of eq 7: batch normalisation, ReLU and FC, twice (section 3.4). Features (B, D) to features (B, D)."""

    def __init__(self, dimension: int) -> None:
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.BatchNorm1d(dimension), nn.ReLU(), nn.Linear(dimension, dimension)]
        super().__init__(*layers)


class FeatureDiscriminator(nn.Sequential):
    """D of eq 7: features (B, D) to outputs (B, 1): 1 for real LR features, 0 for translated ones."""

    def __init__(self, dimension: int) -> None:
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.Linear(dimension, dimension), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Linear(dimension, 1))


class ResolutionAdaption(Task):
    """Fig. 4: the MR model and the translator above, the LR model below.

    Args:
        settings: the run's.
        backbone: the HR model with its classifier; its embedder is trained in place where it becomes the MR model.
        num_classes: C of each collection.
    """

    def __init__(self, settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> None:
        super().__init__()
        self.settings = settings
        dimension = backbone.embedder.architecture.embedding_dim
        self.low, self.low_head = copy.deepcopy(backbone.embedder), _own_head(backbone)
        adapts, translates = settings.training is not None, settings.translator and settings.training is not None
        self.high = backbone.embedder if adapts else None
        self.high_head = _own_head(backbone) if adapts else None
        self.translator = Translator(dimension) if translates else None
        self.discriminator = FeatureDiscriminator(dimension) if translates else None
        self.native_head = _own_head(backbone, num_classes["native"]) if settings.finetuning is not None else None
        self.saturations = _saturations(settings.collapse) if translates else nn.ModuleDict()
        self._observed: Terms = {}
        self.begin(next(iter(steps(settings))))

    @property
    def embedder(self) -> Embedder:  # pyrefly: ignore - a part of this module
        """The deployed model: MR, or LR where nothing is adapted."""
        return self.low if self.high is None else self.high

    def begin(self, step: str) -> None:
        """Freezes what the step does not train."""
        self.step, self.paired = step, step == "training"
        self.requires_grad_(False)
        for module in self._trained():
            module.requires_grad_(True)

    def train(self, mode: bool = True) -> "ResolutionAdaption":
        """What is frozen stays in evaluation mode."""
        super().train(False)
        for module in self._trained():
            module.train(mode)
        self.training = mode
        return self

    def parameter_groups(self) -> dict[str, list[dict[str, object]]]:
        """``main``: recognition and translator; ``discriminator``, in the adaption: what judges features."""
        judges = list(self.discriminator.parameters()) if self.discriminator and self.paired else []
        known = {id(parameter) for parameter in judges}
        main = [value for value in self.parameters() if value.requires_grad and id(value) not in known]
        groups: dict[str, list[dict[str, object]]] = {"main": [{"params": main}]}
        if judges:
            groups["discriminator"] = [{"params": judges}]
        return groups

    def turns(self, step: int) -> Sequence[str]:
        """The models first: their features are what the discriminator sees."""
        return ("main", "discriminator") if self.discriminator and self.paired else ("main",)

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """The step's terms, or the discriminator's."""
        if optimizer == "discriminator":
            return self._discriminating()
        if self.paired:
            return self._adapting(batch["auxiliary"], batch["synthetic"].images, context.step)
        (faces,) = batch.values()
        embedder, head = self._judged()
        return head.losses(embedder(faces.images), faces.labels)

    def validation_losses(self, faces: Faces) -> Terms:
        """Cross entropy without a margin, of the model that the step trains."""
        embedder, head = self._judged()
        return {"classification": F.cross_entropy(head.plain(embedder(faces.images)), faces.labels)}

    def observed(self) -> Terms:
        """The gate's mean weight, and the discriminator's accuracy."""
        seen, self._observed = self._observed, {}
        return seen

    def watch(self, values: Mapping[str, float], step: int) -> None:
        """Stops where the discriminator says nothing any more."""
        for name, saturation in self.saturations.items():
            if name in values:
                saturation.see(values[name], step)  # pyrefly: ignore - a saturation

    def _adapting(self, sharp: Faces, small: torch.Tensor, step: int) -> Terms:
        """eq 10."""
        assert self.high is not None and self.high_head is not None
        chosen = self.settings
        hr = self.high(sharp.images)
        with torch.no_grad():
            real = self.low(small)
        terms = self.high_head.losses(hr, sharp.labels)
        gated = hr
        if self.translator is not None and self.discriminator is not None:
            translated = self.translator(hr)
            d = self.discriminator(translated)
            gated = translation_gate(d, translated, hr)
            self._seen = real, translated.detach()
            self._observed = {"gate": gate_weight(d).mean()}
            if (step + 1) % chosen.adversarial_every == 0:
                terms["adversarial"] = chosen.adversarial_weight * generator_loss(d)
        probabilities = probability_loss(self.low_head.plain(gated), self.low_head.plain(real))
        terms["probability"] = chosen.probability_weight * probabilities
        terms["feature"] = chosen.feature_weight * feature_loss(gated, real)
        return terms

    def _discriminating(self) -> Terms:
        """eq 7, first line."""
        assert self.discriminator is not None
        real, made = (self.discriminator(features) for features in self._seen)
        self._observed = {"accuracy": accuracy(real, made)}
        return {"adversarial": discriminator_loss(real, made)}

    def _judged(self) -> tuple[Embedder, Head]:
        """The model that the step trains, and its classifier."""
        if self.step == "lr_model":
            return self.low, self.low_head
        head = self.high_head if self.step == "training" else self.native_head
        assert head is not None
        return self.embedder, head

    def _trained(self) -> list[nn.Module]:
        modules: list[nn.Module] = [*self._judged()]
        if self.paired and self.translator is not None and self.discriminator is not None:
            modules += [self.translator, self.discriminator]
        return modules


def _own_head(backbone: Model, classes: int | None = None) -> Head:
    """The backbone's classifier; for other people a new one of its kind."""
    assert backbone.facts.head is not None and backbone.prototypes is not None
    if classes is None:
        return classifier_of(backbone.facts.head, backbone.prototypes, backbone.bias)
    return classifier_of(backbone.facts.head, 0.01 * torch.randn(classes, backbone.prototypes.shape[1]))


def _saturations(collapse: Collapse) -> nn.ModuleDict:
    """What is watched, by its name in the curves."""
    low, high = 1 - collapse.accuracy, collapse.accuracy
    return nn.ModuleDict(
        {
            "discriminator_accuracy": Saturation("discriminator's accuracy", low, high, collapse.window),
            "gate": Saturation("translation gate's W", LEAST_GATE, MOST_GATE, collapse.window),
        }
    )
