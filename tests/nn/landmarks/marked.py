"""Faces with landmarks that can be seen: five soft blobs, each of a colour of its own, on a plain ground."""

import numpy as np
import pyarrow as pa

from lrfr import faces

COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255]], float)
SHAPE = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.58], [0.35, 0.78], [0.65, 0.78]])


def marked(points: np.ndarray, height: int, width: int, radius: float = 2.5) -> np.ndarray:
    """A picture (height, width, 3), uint8, with a blob at each of ``points`` (5, 2), px."""
    y, x = np.mgrid[:height, :width] + 0.5
    image = np.full((height, width, 3), 40.0)
    for (across, down), colour in zip(points, COLOURS, strict=True):
        blob = np.exp(-((x - across) ** 2 + (y - down) ** 2) / (2 * radius**2))[..., None]
        image = image * (1 - blob) + colour * blob
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def where_marked(image: np.ndarray) -> np.ndarray:
    """Where the blobs (5, 2) are: the centres of mass of what looks like each colour, px."""
    y, x = np.mgrid[: len(image), : image.shape[1]] + 0.5
    found = []
    for colour in COLOURS:
        like = np.clip(1 - np.abs(image - colour).sum(axis=2) / 250, 0, 1)
        found.append([(like * x).sum() / like.sum(), (like * y).sum() / like.sum()])
    return np.array(found)


def row(rng: np.random.Generator, number: int, identity: str, side: int = 48) -> dict:
    """A row of a face table, with landmarks that are marked in it."""
    height, width = side + number % 5, round(0.8 * side) + number % 3
    points = (SHAPE + rng.uniform(-0.12, 0.12, 2) + rng.normal(0, 0.01, (5, 2))) * [width, height]
    image = marked(points, height, width)
    return {
        "face_id": faces.face_id(image, str(number)),
        "source": "test",
        "image": faces.encode_png(image),
        "width": width,
        "height": height,
        "identity": identity,
        "landmarks": points.ravel().tolist(),
        "split": "train",
    }


def table(people: int = 10, images: int = 8, **columns: object) -> pa.Table:
    """A face table of marked faces; ``columns`` replace values in every row."""
    rng = np.random.default_rng(0)
    rows = [row(rng, number, f"person{number // images}") | columns for number in range(people * images)]
    return pa.Table.from_pylist(rows, faces.FACE_SCHEMA)
