"""params.yaml: how a network is trained."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lrfr.config import Count, Pixels, Positive, Section
from lrfr.nn.batches.augmentation_settings import AugmentationSettings
from lrfr.nn.batches.low_resolution import LowResolution

Schedules = Literal["constant", "cosine", "step", "plateau"]


class Optimization(Section):
    """One optimiser and the schedule of its learning rate. ``momentum`` is SGD's, ``betas`` are Adam's.

    The learning rate stays (``constant``); falls to zero (``cosine``); is divided by ``milestone_divisor`` at every one
    of ``milestones``, counted in epochs or updates (``step``); or by ``plateau_divisor`` when the validation loss has
    not fallen by more than ``plateau_threshold`` (a share of it) for more than ``plateau_patience`` epochs
    (``plateau``). All but the last begin with a linear warm-up of ``warmup_epochs``.
    """

    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = Field(gt=0, le=100)
    momentum: float | None = Field(default=None, ge=0, lt=1)
    betas: list[float] | None = Field(default=None, min_length=2, max_length=2)
    weight_decay: float = Field(ge=0, le=1)
    schedule: Schedules | None = None
    warmup_epochs: float = Field(default=0, ge=0, le=10_000)
    milestones: list[Count] = Field(default_factory=list)
    milestone_unit: Literal["epoch", "update"] = "epoch"
    milestone_divisor: float = Field(default=10, gt=1, le=1e6)
    plateau_divisor: float = Field(default=5, gt=1, le=1e6)
    plateau_patience: int = Field(default=1, ge=0, le=10_000)
    plateau_threshold: float = Field(default=1e-4, ge=0, lt=1)

    @model_validator(mode="after")
    def _belongs_to_its_optimizer(self) -> Self:
        if self.optimizer == "sgd" and self.momentum is None:
            raise ValueError("the optimizer sgd needs a momentum (0 is none)")
        if self.optimizer == "sgd" and self.betas is not None:
            raise ValueError("betas belong to the optimizers adam and adamw, not to sgd")
        if self.optimizer != "sgd" and self.momentum is not None:
            raise ValueError(f"momentum belongs to the optimizer sgd; {self.optimizer} has betas")
        if any(not 0 <= beta < 1 for beta in self.betas or []):
            raise ValueError("each of betas lies in 0..1, below 1")
        return self

    @model_validator(mode="after")
    def _belongs_to_its_schedule(self) -> Self:
        if self.schedule in (None, "plateau") and self.warmup_epochs:
            raise ValueError("warmup_epochs belongs to the schedules constant, cosine and step")
        if self.schedule == "step" and not self.milestones:
            raise ValueError("the schedule step needs milestones, such as [30, 45]")
        if self.schedule != "step" and self.milestones:
            raise ValueError(f"milestones belong to the schedule step, not to {self.schedule}")
        if self.milestones != sorted(set(self.milestones)):
            raise ValueError("milestones must increase")
        return self


class Training(Optimization):
    """A whole training.

    ``batch_size`` counts the images of an update, of all collections and in all processes, and ``shares`` divides it
    among the collections (equally when empty). With ``images_per_identity`` a batch holds so many of each of its
    identities. ``tight_crops`` is the share (0..1) of faces that are cropped tightly before they are aligned, where
    they are; ``low_resolution`` makes some of the sharp ones small; ``augmentation`` varies all of them, and null
    leaves them as they are.

    Validation takes place at full resolution, and with the shortest side at each of ``validation_sides`` (px). What
    decides on a plateau, and on the ``best`` weights where ``keep`` asks for them and not for the ``last``, is the sum
    of all these losses, or the loss at ``watched_side`` alone.
    ``clip_norm`` bounds the norm of the gradient that each optimiser follows, and ``ema_decay`` asks for an exponential
    moving average of the weights, which then is what is validated and kept; neither where it is null. An adversarial
    task has several optimisers: ``optimizers`` has the settings of those other than ``main``, each of which may have a
    schedule of its own.
    """

    epochs: int = Field(ge=0, le=10_000)
    batch_size: int = Field(gt=1, le=10**6)
    shares: dict[str, Positive] = Field(default_factory=dict)
    images_per_identity: Annotated[int, Field(gt=0, le=10_000)] | None = None
    tight_crops: float = Field(default=0, ge=0, le=1)
    low_resolution: LowResolution | None = None
    augmentation: AugmentationSettings | None = AugmentationSettings()
    schedule: Schedules
    validation_sides: list[Pixels] = Field(default_factory=list)
    watched_side: Pixels | None = None
    keep: Literal["last", "best"] = "last"
    clip_norm: Positive | None
    ema_decay: float | None = Field(default=None, gt=0, lt=1)
    precision: Literal["fp32", "bf16", "fp16"]
    optimizers: dict[str, Optimization] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ends_after_what_it_plans(self) -> Self:
        for planned in (self, *self.optimizers.values()):
            last = max(planned.milestones, default=0) if planned.milestone_unit == "epoch" else 0
            if self.epochs and max(planned.warmup_epochs, last) > self.epochs:
                raise ValueError(f"the training ends after {self.epochs} epochs, before its warm-up or last milestone")
        return self

    @model_validator(mode="after")
    def _watches_what_is_validated(self) -> Self:
        if self.watched_side is not None and self.watched_side not in self.validation_sides:
            raise ValueError(f"watched_side is {self.watched_side} px, which is none of validation_sides")
        return self

    def optimization(self, name: str) -> Optimization:
        """The settings of the optimiser of that name."""
        return self.optimizers.get(name, self)

    def scheduled(self, name: str) -> Optimization:
        """The settings that have the schedule of the optimiser of that name: its own, or the training's."""
        own = self.optimization(name)
        return own if own.schedule else self
