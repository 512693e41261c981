"""Models on disk, trained here or imported: safetensors, whose metadata say what a user of the weights must know."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, field_validator

from lrfr.config import Fusion, Section, Settings, settings
from lrfr.core.alignment import AS_CROPPED, check_presentation, is_aligned
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.model_file import FILE as LANDMARK_FILE
from lrfr.nn.landmarks.model_file import read_landmark_model, write_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.weights_file import FILE as FILE
from lrfr.nn.weights_file import expected, read_description, read_weights, write_weights

MODEL = "a model"

Metric = Literal["cosine", "euclidean"]


class TrainedStep(Section):
    """One step of a training: the faces of each collection, how often it passed over them, its updates, and which of
    the backbone's ``weights`` it trained (:data:`lrfr.nn.trained.Trained`); nothing is said where it trained all."""

    step: str
    faces: dict[str, int]
    passes: dict[str, float]
    updates: int
    weights: Settings | None = Field(default=None, exclude_if=lambda weights: weights is None)


class Facts(Section):
    """What a user of the weights must know beside the architecture.

    Attributes:
        presentation: how faces are presented to the model: ``as_cropped``, ``middle_224``, or aligned to a template of
            :data:`lrfr.core.alignment.TEMPLATES` by its name.
        metric: by which its embeddings are compared.
        trained: the steps of its training in order; none for untrained weights, or where nobody says.
        head: the settings of the head that it was trained with last, see :mod:`lrfr.nn.heads`; None for
            untrained weights, and where a method's own softmax has no settings.
        quality: the kind of quality that it gives of every image, None where it gives none.
        provenance: of imported weights: the file that they came from, and its licence.
    """

    presentation: str = AS_CROPPED
    metric: Metric = "cosine"
    trained: list[TrainedStep] = Field(default_factory=list)
    head: Settings | None = None
    quality: str | None = None
    provenance: Settings | None = None

    @field_validator("presentation")
    @classmethod
    def _is_known(cls, given: str) -> str:
        return check_presentation(given)


@dataclass(frozen=True)
class Model:
    """An embedder with its facts.

    Attributes:
        embedder: the network with its preprocessing.
        facts: what its users must know.
        prototypes: (C, D) of the head that it was trained with, where they are kept.
        landmarks: the network that finds the landmarks by which faces are aligned; None where they are not.
        bias: (C,) of that head, where it is a published classifier that has one.
    """

    embedder: Embedder
    facts: Facts = field(default_factory=Facts)
    prototypes: torch.Tensor | None = None
    landmarks: CNN6 | None = None
    bias: torch.Tensor | None = None


def write_model(folder: Path, model: Model) -> None:
    """Writes ``model.safetensors``, and ``landmarks.safetensors`` beside it for a model that takes aligned faces."""
    tensors = {f"embedder.{name}": value for name, value in model.embedder.state_dict().items()}
    if model.prototypes is not None:
        tensors["head"] = model.prototypes
    if model.bias is not None:
        tensors["head_bias"] = model.bias
    described = {"architecture": model.embedder.architecture.model_dump(), **model.facts.model_dump()}
    if model.landmarks is not None:
        write_landmark_model(folder, model.landmarks)
    else:
        (folder / LANDMARK_FILE).unlink(missing_ok=True)
    write_weights(folder / FILE, tensors, described)


def read_model(folder: Path, with_landmarks: bool = True) -> Model:
    """Reads a model in evaluation mode.

    Args:
        folder: where it is.
        with_landmarks: whether its landmark network is read too. An imported model has none: who trains from it takes
            the project's.

    Raises:
        TrainingError: a file is missing or is not one of ours.
    """
    path = folder / FILE
    with expected(MODEL, path):
        described, tensors = read_weights(path)
        embedder = Embedder(settings(described.pop("architecture"), Architecture, f"{path}: architecture"))
        prototypes, bias = tensors.pop("head", None), tensors.pop("head_bias", None)
        embedder.load_state_dict({name.removeprefix("embedder."): value for name, value in tensors.items()})
    facts = settings(described, Facts, f"{path}: metadata")
    aligns = is_aligned(facts.presentation)
    landmarks = read_landmark_model(folder) if aligns and with_landmarks else None
    return Model(embedder.eval(), facts, prototypes, landmarks, bias)


def read_facts(folder: Path) -> Facts:
    """The facts of a model alone.

    Raises:
        TrainingError: the file is missing or is not one of ours.
    """
    path = folder / FILE
    with expected(MODEL, path):
        described = read_description(path)
        described.pop("architecture")
    return settings(described, Facts, f"{path}: metadata")


def facts_of(model: Model, sha256: str, fusion: Fusion = "none") -> str:
    """What files of a model's embeddings carry on, as JSON: its facts, with the SHA-256 of its file as ``model``, and
    the ``fusion`` with mirror images, if any. Its head and its provenance matter to no embedding."""
    told = model.facts.model_dump(exclude={"head", "provenance"}) | {"model": sha256}
    return json.dumps(told | ({} if fusion == "none" else {"fusion": fusion}), sort_keys=True)


def sha256_of(path: Path) -> str:
    """A file's hash, as ``sha256sum`` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
