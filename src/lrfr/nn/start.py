"""A model that training starts from: one that was imported, or trained elsewhere."""

from pathlib import Path

from pydantic import Field

from lrfr.config import Section
from lrfr.errors import TrainingError
from lrfr.nn.model_file import FILE, Model, read_model, sha256_of


class StartingPoint(Section):
    """A model's folder, and the hash of its ``model.safetensors``: DVC watches params.yaml, and so its content."""

    model: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


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
