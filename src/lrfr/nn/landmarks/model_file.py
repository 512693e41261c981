"""The landmark network on disk, with its width: by itself, or beside a model that takes aligned faces."""

from pathlib import Path

from lrfr import paths
from lrfr.core.alignment import is_aligned
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.weights_file import expected, read_weights, write_weights

FILE = "landmarks.safetensors"


def write_landmark_model(folder: Path, model: CNN6) -> None:
    """Writes a network into ``folder``, atomically."""
    write_weights(folder / FILE, model.state_dict(), {"cnn6": {"width": model.width}})


def read_landmark_model(folder: Path) -> CNN6:
    """Reads a network in evaluation mode.

    Raises:
        TrainingError: the file is missing, or is no landmark network of ours.
    """
    path = folder / FILE
    with expected("a landmark network", path):
        described, tensors = read_weights(path)
        model = CNN6(described["cnn6"]["width"])
        model.load_state_dict(tensors)
        if not all(tensor.isfinite().all() for tensor in tensors.values()):
            raise ValueError("its weights are no numbers")
    return model.eval()


def landmarks_for(presentation: str) -> CNN6 | None:
    """The project's landmark network, for a model that takes aligned faces; None for one that takes them as cut.

    Raises:
        TrainingError: the network is missing.
    """
    return read_landmark_model(paths.LANDMARKS) if is_aligned(presentation) else None
