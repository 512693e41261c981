"""A model that training starts from: one that was imported, or trained elsewhere."""

from pathlib import Path

from pydantic import Field
from torch import nn

from lrfr.config import Section
from lrfr.errors import ParameterError, TrainingError
from lrfr.nn.heads import Head, PartialFC
from lrfr.nn.model_file import FILE, Model, read_model, sha256_of


class StartingPoint(Section):
    """A model to start from.

    Attributes:
        model: its folder.
        sha256: of its ``model.safetensors``: DVC watches params.yaml, and so its content.
        classifier: whether the head starts as the model's own classifier, of the same identities, and not as the class
            means of its embeddings.
    """

    model: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    classifier: bool = False


def read_start(start: StartingPoint) -> Model:
    """The model to start from, in evaluation mode, without a landmark network.

    Raises:
        TrainingError: there is no such model, it is not the one whose hash is given, or not one of ours.
    """
    path = Path(start.model) / FILE
    if not path.is_file():
        raise TrainingError(
            "the model to start from is missing", where=path, remedy="lrfr import-backbone FILE, or copy it there"
        )
    found = sha256_of(path)
    if found != start.sha256:
        raise TrainingError(
            f"the model to start from is another one: its sha256 is {found}, not {start.sha256}",
            where=path,
            remedy="import the file that params.yaml means, or write this sha256 there if this one is meant",
        )
    return read_model(Path(start.model), with_landmarks=False)


def take_classifier(head: Head | PartialFC, start: Model, name: str, where: str) -> None:
    """Gives a head the prototypes, and the bias, of the classifier of the model that is started from.

    Args:
        head: over the identities that are learnt, in alphabetical order, as publishers number their folders.
        start: the model.
        name: of the head's kind.
        where: in params.yaml, for errors.

    Raises:
        ParameterError: the model has no classifier, or one of another kind or of another number of identities.
    """
    remedy = "leave classifier out: the head then starts as the class means of the embeddings"
    if start.prototypes is None or start.facts.head is None:
        raise ParameterError("the model to start from has no classifier", where=where, remedy=remedy)
    kind, identities = start.facts.head["name"], len(start.prototypes)
    if kind != name:
        what = f"the model's classifier is of the kind {kind}, and the head is {name}"
        raise ParameterError(what, where=where, remedy=f"set head: {{name: {kind}}}, or {remedy}")
    if identities != len(head.weight):
        what = f"the model's classifier knows {identities:,} identities, and {len(head.weight):,} are learnt here"
        raise ParameterError(what, where=where, remedy=f"train on all those that it was trained on, or {remedy}")
    if start.bias is not None and isinstance(head, PartialFC):
        what = "the model's classifier has a bias, which no drawing of identities knows"
        raise ParameterError(what, where=where, remedy=f"leave sample_rate out, or {remedy}")
    head.weight.data.copy_(start.prototypes)
    if start.bias is not None:
        head.bias = nn.Parameter(start.bias.clone())
