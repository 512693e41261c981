"""Sheets of example faces as data URIs: native LR by size, by identity, and synthetic LR beside its HR original.

Which faces are shown follows from their ids alone, which are hashes: an arbitrary choice that is the same every time.
"""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.faces import encode_png, read_faces
from lrfr.images import Images

SIZES = ((0, 12), (12, 16), (16, 20), (20, 24), (24, 28), (28, 33))  # height from, to (exclusive), px
FACES_PER_ROW = 12
IDENTITIES, FACES_PER_IDENTITY = 6, 5
AUXILIARY_FACES = 10
HR_HEIGHT = 128  # px; an HR face is shown no larger


@dataclass(frozen=True)
class Face:
    """An image to show: its address, what it shows, and its native size."""

    uri: str
    alt: str
    size: str
    smooth: bool  # shown smaller than it is, so not by its pixels
    aspect: float | None = None  # width over height, to be shown so; None: its own


@dataclass(frozen=True)
class Row:
    """A labelled line of a sheet."""

    label: str
    faces: list[Face]


@dataclass(frozen=True)
class Person:
    """A test identity and the faces that show it."""

    identity: str
    probe: list[Face]
    gallery: list[Face]


def by_size() -> list[Row]:
    """Native LR faces of known identity, a row for each class of heights that has any."""
    table = read_faces(paths.BENCHMARK, ["face_id", "height", "split"])
    table = table.filter(pc.field("split") != "distractor")
    heights, rows = table["height"].to_numpy(), []
    for low, high in SIZES:
        ids = _some(table.filter(pa.array((heights >= low) & (heights < high)))["face_id"], FACES_PER_ROW)
        if ids:
            label = f"{high - 1} px and less" if not low else f"{low}–{high - 1} px"
            rows.append(Row(label, faces_of(paths.BENCHMARK, ids, "native LR face")))
    return rows


def by_identity() -> list[Person]:
    """Test identities with their probe faces and their gallery faces: the pairs that the benchmark asks for."""
    table = read_faces(paths.BENCHMARK, ["face_id", "identity", "split"])
    probes = table.filter(pc.field("split") == "probe")
    people = []
    for identity in _some(probes["identity"].unique(), IDENTITIES):
        own, sides = table.filter(pc.field("identity") == identity), {}
        for split in ("probe", "gallery"):
            ids = _some(own.filter(pc.field("split") == split)["face_id"], FACES_PER_IDENTITY)
            sides[split] = faces_of(paths.BENCHMARK, ids, f"{split} face of {identity}")
        people.append(Person(identity, **sides))
    return people


def distractors() -> list[Face]:
    """Gallery faces of people nobody could name."""
    table = read_faces(paths.BENCHMARK, ["face_id", "split"])
    ids = _some(table.filter(pc.field("split") == "distractor")["face_id"], 2 * FACES_PER_ROW)
    return faces_of(paths.BENCHMARK, ids, "distractor face")


def benchmark_row(label: str, ids: list[str]) -> Row:
    """Faces of the benchmark, in the order of their ids."""
    return Row(label, faces_of(paths.BENCHMARK, ids, f"face of {label} quality"))


def synthetic(synthesizers: list[str]) -> list[Row]:
    """HR auxiliary faces, below each its LR version by every synthesiser, and last a native face of the same height."""
    table = read_faces(paths.AUXILIARY, ["face_id", "identity"]).sort_by("face_id")
    one_each = dict(zip(table["identity"].to_pylist(), table["face_id"].to_pylist(), strict=True))
    hr_ids = _some(pa.array(one_each.values(), pa.string()), AUXILIARY_FACES)
    rows, heights = [Row("HR original", faces_of(paths.AUXILIARY, hr_ids, "HR face"))], []
    for name in synthesizers:
        made = read_faces(paths.synthetic(name), ["face_id", "height", "attributes"]).to_pylist()
        versions = {dict(face["attributes"] or []).get("hr_face_id"): face for face in made}
        shown = [versions[hr_id] for hr_id in hr_ids if hr_id in versions]
        heights = [face["height"] for face in shown]
        ids = [face["face_id"] for face in shown]
        rows.append(Row(name, faces_of(paths.synthetic(name), ids, f"LR face made by {name}")))
    return [*rows, Row("native, as tall", faces_of(paths.BENCHMARK, _natives(heights), "native LR face"))]


def _natives(heights: list[int]) -> list[str]:
    """A native training face of each height, or of the nearest, none twice."""
    table = read_faces(paths.BENCHMARK, ["face_id", "height", "split"]).sort_by("face_id")
    faces = table.filter(pc.field("split") == "train").to_pylist()
    ids = []
    for height in heights[: len(faces)]:
        nearest = min(faces, key=lambda face: abs(face["height"] - height))
        faces.remove(nearest)
        ids.append(nearest["face_id"])
    return ids


def _some(ids: pa.Array | pa.ChunkedArray, most: int) -> list[str]:
    """At most ``most`` of the ids, evenly spread over their sorted order."""
    ordered = sorted(ids.to_pylist())
    places = np.linspace(0, len(ordered) - 1, min(most, len(ordered))).round().astype(int)
    return [ordered[place] for place in places]


def faces_of(path: Path, ids: list[str], what: str) -> list[Face]:
    """The faces of a table with these ids, in this order; only their images are read. ``what`` they show, in words."""
    if not ids:
        return []
    rows = pc.index_in(pa.array(ids, pa.string()), value_set=read_faces(path, ["face_id"])["face_id"]).to_numpy()
    images = Images(path, rows)
    return [shown(images.decoded(place), what) for place in range(len(images))]


def shown(image: np.ndarray, what: str, aspect: float | None = None) -> Face:
    """An image (H, W, 3), uint8, as the page shows it; ``what`` it shows, in words."""
    height, width = image.shape[:2]
    if height > HR_HEIGHT:
        image = cv2.resize(image, (round(width * HR_HEIGHT / height), HR_HEIGHT), interpolation=cv2.INTER_AREA)
    uri = "data:image/png;base64," + b64encode(encode_png(image)).decode()
    return Face(uri, f"{what}, {width} by {height} px", f"{width}×{height}", height >= HR_HEIGHT // 2, aspect)
