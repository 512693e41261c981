"""A small release: a network that knows people by their pixels, calibrated on people who are drawn."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.onnx_file import export_landmarks
from lrfr.nn.model_file import Facts, Model
from lrfr.nn.onnx_file import export_onnx
from lrfr.release.calibration import Detector, calibrate, write_calibration
from lrfr.release.layout import LANDMARKS_ONNX, MODEL_ONNX
from lrfr.release.manifest import write_manifest
from lrfr.release.signing import Signer
from lrfr.serve.detection import find_faces
from lrfr.serve.model import Model as Served
from tests.drawing import jpeg, portrait

NAME, VERSION = "pixels", "v1.0.0"
STRANGERS = 40  # whom the calibration knows; nobody else is drawn from these seeds, 1000 and on
DETECTOR = Detector(min_face=12, thresholds=[0.6, 0.7, 0.7])


class Pixels(nn.Module):
    """The colours of a face, as 8 x 8 fields in units of their spread, less those of the mean face."""

    def __init__(self) -> None:
        super().__init__()
        cut = [cv2.resize(face, (40, 40)) for person in range(2000, 2020) for face in faces(photo(person, 0, 80))]
        self.mean_face = self.fields(torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2) / 127.5 - 1).mean(0)

    def fields(self, images):
        fields = F.avg_pool2d(images, 5).flatten(1)
        return (fields - fields.mean(1, keepdim=True)) / fields.std(1, keepdim=True)

    def forward(self, images):
        return self.fields(images) - self.mean_face


def pixels(presentation: str = "as_cropped") -> Model:
    architecture = Architecture(backbone="lrfr_ir18", embedding_dim=192, input_size=40, dropout=0.0)
    landmarks = _landmarks() if presentation == "arcface_112" else None
    return Model(Embedder(architecture, Pixels()).eval(), Facts(presentation=presentation), landmarks=landmarks)


def _landmarks() -> CNN6:
    torch.manual_seed(0)
    start = torch.tensor([20.0, 26, 44, 26, 32, 38, 23, 48, 41, 48])
    return CNN6(0.125, start).eval()


def photo(person: int, shot: int = 0, side: int = 120) -> np.ndarray:
    """A photo of a drawn person, whom a complexion tells apart; shots differ in light and noise."""
    rng = np.random.default_rng([person, shot])
    spots = np.random.default_rng(person).uniform(0.75, 1.15, (6, 6, 3))
    complexion = cv2.resize(spots, (side, side), interpolation=cv2.INTER_CUBIC) * rng.uniform(0.85, 1.1)
    drawn = portrait(side, person) * complexion + rng.normal(0, 4, (side, side, 3))
    return np.clip(drawn, 0, 255).astype(np.uint8)


def write_photo(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(image))
    return path


def group(people: list[int], side: int = 100) -> np.ndarray:
    """A photo of several people beside each other."""
    return np.concatenate([photo(person, 7, side) for person in people], axis=1)


def faces(image: np.ndarray) -> list[np.ndarray]:
    return [face.pixels for face in find_faces(image, DETECTOR)]


def make_release(folder: Path, key: Path, presentation: str = "as_cropped", version: str = VERSION) -> Path:
    """Writes a signed release."""
    folder.mkdir(parents=True)
    model = pixels(presentation)
    export_onnx(model, folder / MODEL_ONNX, {"seed": 0})
    if model.landmarks is not None:
        export_landmarks(model.landmarks, folder / LANDMARKS_ONNX)
    write_manifest(folder, NAME, version)
    served = Served.load(folder)
    crops, identity, role = [], [], []
    for person in range(STRANGERS):
        for shot in range(3):
            crops += faces(photo(1000 + person, shot, 80))
            identity += [person] * (len(crops) - len(identity))
            role += ["probe" if shot else "gallery"] * (len(crops) - len(role))
    embedding = served.embed(crops)
    write_calibration(folder, calibrate(embedding, np.array(identity), np.array(role), "cosine", 0, DETECTOR, 100))
    write_manifest(folder, NAME, version)
    Signer(key).sign(folder)
    return folder
