"""check-batches: stop here if a training wants more faces at once than there are.

How many there are is known after the split; a training that comes hours later would only say it then.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lrfr import paths
from lrfr.config import Params, read_params, settings
from lrfr.faces import numbered, read_faces
from lrfr.files import write_json
from lrfr.methods import read_run
from lrfr.nn.batches.order import check_batch
from lrfr.nn.landmarks.settings import Landmarks
from lrfr.nn.pretraining import Pretraining
from lrfr.nn.super_resolution.settings_alone import SuperResolutionAlone
from lrfr.nn.training.settings import Training
from lrfr.nn.translation.settings import Learned
from lrfr.synthesis import settings_of

Labels = dict[str, np.ndarray]  # the number of each training face's identity (N,), by collection


def run() -> None:
    """Writes data/validation/batches.json, which says that every batch can be filled.

    Raises:
        ParameterError: one cannot, or a training is not set as it should be.
        FaceTableError: a table of the split is missing.
    """
    check_batches(read_params())
    write_json(paths.BATCHES, {"success": True})
    print("every batch of every training can be filled")


def check_batches(params: Params) -> None:
    """Raises a ParameterError where a batch of a training is larger than a collection of data/split can fill."""
    for place, training, labels in _trainings(params):
        check_batch(labels, training.batch_size, training.shares, training.images_per_identity, place)


def _trainings(params: Params) -> Iterator[tuple[str, Training, Labels]]:
    """Every training by the section that it stands in, its settings, and what it learns from."""
    labels = {"native": _labels(paths.BENCHMARK), "auxiliary": _labels(paths.AUXILIARY)}
    labels["synthetic"] = labels["auxiliary"]  # a version of each
    auxiliary = {"auxiliary": labels["auxiliary"]}
    place = f"{paths.PARAMS}: landmarks"
    landmarks = settings(params.landmarks, Landmarks, place)
    # Also of faces that validate; how many of them have landmarks, only the training finds out
    with_landmarks = np.zeros(min(len(read_faces(paths.AUXILIARY, ["face_id"])), landmarks.most_faces), np.int64)
    yield f"{place}.training", landmarks.training, {"auxiliary": with_landmarks}
    for name, values in params.super_resolution.items():
        place = f"{paths.PARAMS}: super_resolution.{name}"
        yield f"{place}.training", settings(values, SuperResolutionAlone, place).training, auxiliary
    for name, values in params.learned_synthesizers.items():
        place = f"{paths.PARAMS}: learned_synthesizers.{name}"
        _, learned = settings_of(name, values, learned=True, where=place)
        assert isinstance(learned, Learned)
        players = {"hr": labels["auxiliary"], "lr": labels[learned.realistic.collection]}
        yield f"{place}.training", learned.training, players
    for name, values in params.backbones.items():
        place = f"{paths.PARAMS}: backbones.{name}"
        yield f"{place}.training", settings(values, Pretraining, place).training, auxiliary
    for name in params.methods:
        chosen = read_run(name, params)
        for step, collections in chosen.steps.items():
            place = f"{paths.PARAMS}: methods.{name}.{step}"
            yield place, getattr(chosen.settings, step), {key: labels[key] for key in collections}


def _labels(path: Path) -> np.ndarray:
    faces = read_faces(path, ["identity", "split"])
    return numbered(faces["identity"])[1][np.array(faces["split"].to_pylist()) == "train"]
