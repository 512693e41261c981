"""A face as a published test set brings it: cut out of a picture, sharp and near, or tiny and through a poor camera.

The detector frames it, as it frames the faces that are trained on. It looks at the sharp picture also where the crop
comes from the tiny one: a test set is not a test of the detector.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

from lrfr.core.boxes import match
from lrfr.detector import Detection, detect_faces
from lrfr.faces import decode
from lrfr.sources.reading.crops import Crop
from lrfr.sources.reading.cutting import cut
from lrfr.sources.rendering.camera import draw_camera, photograph
from lrfr.sources.rendering.identity import Identity, draw_identity
from lrfr.sources.rendering.person import face_box
from lrfr.sources.rendering.portrait import SIDE, pose

SMALL_SIDE = 80  # px: enough of a picture for a crop of 32 px, at a third of the time
THRESHOLDS = [0.6, 0.7, 0.7]  # P-Net, R-Net, O-Net


class Stream(IntEnum):
    """Each test set has people and draws of its own; those of training and of the native photos are below 100."""

    SURVEILLANCE = 100
    MUGSHOTS = 101
    TEMPLATES = 102
    PAIRS = 103
    DISTRACTORS = 104
    UNRECOGNIZABLE = 105


@dataclass(frozen=True)
class Sitting:
    """Somebody before the camera.

    Attributes:
        scene: (S, S, 3) linear RGB.
        picture: the JPEG of a good camera.
        found: the face that the detector found in it, if any.
        height: of the face's true box, px.
    """

    scene: np.ndarray
    picture: bytes
    found: Detection | None
    height: float


@dataclass(frozen=True)
class Shot:
    """A crop; the whole picture, without landmarks and score, where no face was found."""

    image: bytes
    landmarks: Sequence[float] | None = None
    score: float | None = None

    def crop(self, name: str, identity: str | None, split: str | None = None, **attributes: str) -> Crop:
        """The crop as a layout's; attributes say what is ``missing``."""
        if self.score is None:
            attributes["missing"] = "no_face"
        return Crop(
            name, self.image, identity, split, attributes, is_test=True, landmarks=self.landmarks, score=self.score
        )


def someone(seed: int, stream: Stream, number: int) -> Identity:
    """The person of this number in a test set."""
    return draw_identity(np.random.default_rng([seed, stream, 0, number]))


def draws(seed: int, stream: Stream, *which: int) -> np.random.Generator:
    """Random numbers for one picture, or for what else ``which`` stands for."""
    return np.random.default_rng([seed, stream, 1, *which])


def sit(person: Identity, rng: np.random.Generator, side: int = SIDE, away: bool = False) -> Sitting:
    """Somebody poses, is photographed well in ``side`` x ``side`` px, and the detector looks for the face.

    Who looks ``away`` shows the back of the head.
    """
    scene, figure = pose(person, rng, side, away)
    picture = photograph(scene, draw_camera(rng, portrait=True), rng)
    truth = face_box(figure.look, figure.scale, figure.x, figure.y)
    faces = detect_faces(decode(picture), side // 4, THRESHOLDS)
    matched = match([face.box for face in faces], [truth], 0.2)
    return Sitting(scene, picture, faces[matched[0][0]] if matched else None, truth[3])


def near(sitting: Sitting) -> Shot:
    """The face, sharp."""
    return _cut(sitting.picture, sitting.found, 1.0)


def far(sitting: Sitting, face_height: float, rng: np.random.Generator) -> Shot:
    """The face through a poor camera from so far away that it is about ``face_height`` px tall, if it was taller."""
    side = len(sitting.scene)
    height = sitting.found.box[3] if sitting.found else sitting.height
    small_side = min(round(side * face_height / height), side)
    scene = cv2.resize(sitting.scene, (small_side, small_side), interpolation=cv2.INTER_AREA)
    picture = photograph(scene, draw_camera(rng, portrait=False), rng)
    return _cut(picture, sitting.found, small_side / side)


def _cut(picture: bytes, found: Detection | None, scale: float) -> Shot:
    """What the face's box holds; the box and the landmarks are ``scale`` times as large here as they were found."""
    if found is None:
        return Shot(picture)
    box, landmarks = np.multiply(found.box, scale).tolist(), found.landmarks * scale
    row = cut(decode(picture), "", box, landmarks, found.score)
    return Shot(row["image"], row["landmarks"].tolist(), row["score"]) if row else Shot(picture)
