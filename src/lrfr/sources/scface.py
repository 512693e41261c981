"""SCface, as published: high-resolution mugshots, and five surveillance cameras at three distances.

Grgic, Delac, Grgic: SCface - surveillance cameras face database, Multimedia Tools and Applications, 2011. The published
pictures show people down to the waist: faces are found by MTCNN and cut out, so that a distance stands for a size of
the face. Copies that somebody's detector has cut, in the same folders, are read as they are.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from lrfr.config import Section
from lrfr.core.scface_partition import Partition
from lrfr.decoding import decode
from lrfr.detector import detect_faces
from lrfr.errors import ImageError, SourceError
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.reading.cutting import cut
from lrfr.sources.reading.dataset_files import pictures
from lrfr.sources.reading.scface_parts import parted

LAYOUT = (
    "a folder with mugshot_frontal_cropped_all/001_frontal.JPG and "
    "surveillance_cameras_distance_{1,2,3}/cam_{1,2,3,4,5}/001_cam1_1.jpg"
)

PROTOCOL = "scface"

MUGSHOT = re.compile(r"mugshot_frontal_cropped_all/(?P<id>\d+)_frontal\.\w+", re.IGNORECASE)
PROBE = re.compile(
    r"surveillance_cameras_distance_(?P<distance>[123])/cam_(?P<camera>[1-5])/(?P<id>\d+)_cam(?P=camera)_(?P=distance)\.\w+",
    re.IGNORECASE,
)

METRES = {"1": "4.2", "2": "2.6", "3": "1.0"}  # distance 1 is the farthest


class Settings(Section):
    """Whether faces are found in the pictures, how, and who trains.

    Attributes:
        detect: whether faces are found and cut out; false for copies that are cut already.
        min_face: the smallest face that MTCNN's pyramid looks for, px: at 4.2 m they are about 20 px tall.
        thresholds: of MTCNN's three networks, 0..1.
        partition: whose first identities train, and whose last are tested, see :mod:`lrfr.core.scface_partition`; all
            are tested when not given.
    """

    detect: bool = True
    min_face: int = Field(default=12, gt=4, le=10_000)
    thresholds: list[Annotated[float, Field(ge=0, le=1)]] = Field(default=[0.6, 0.7, 0.7], min_length=3, max_length=3)
    partition: Partition | None = None


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads SCface: mugshots are the gallery, surveillance pictures the probes, unless their people train.

    ``part`` is mugshot or distance_1, distance_2, distance_3; ``camera`` 1 to 5; ``distance`` in metres. Pictures of
    other cameras (infrared) are excluded as unlisted. A picture in which no face is found scores as a miss; one that
    would train is excluded.

    Raises:
        SourceError: a folder is missing or holds no picture of the layout, or a path leads out of ``root``.
    """
    folders = ["mugshot_frontal_cropped_all", *(f"surveillance_cameras_distance_{step}" for step in METRES)]
    crops, excluded = [], []
    for folder in folders:
        names, strays = pictures(root, folder)
        found = {name: crop for name in names if (crop := _crop(root, name))}
        if not found:
            raise SourceError(f"no picture of the layout lies in {folder}", where=root, remedy=f"expected: {LAYOUT}")
        crops += found.values()
        excluded += strays + [{"where": name, "reason": "unlisted"} for name in names if name not in found]
    if settings.detect:
        find = partial(_face, min_face=settings.min_face, thresholds=settings.thresholds)
        crops = list(parallel_map(find, crops, "finding SCface's faces", "picture"))
    crops, unused = parted(crops, settings.partition)
    faces, unread = crop_rows(crops, "scface", "reading SCface", len(crops))
    return Acquired(faces=faces, excluded=excluded_table(excluded + unused + unread))


def _crop(root: Path, name: str) -> Crop | None:
    """The crop that a path stands for, if it is one of the layout's."""
    if mugshot := MUGSHOT.fullmatch(name):
        return Crop(name, root / name, mugshot["id"].zfill(3), "gallery", {"part": "mugshot"}, is_test=True)
    if probe := PROBE.fullmatch(name):
        step = probe["distance"]
        attributes = {"part": f"distance_{step}", "camera": probe["camera"], "distance": METRES[step]}
        return Crop(name, root / name, probe["id"].zfill(3), "probe", attributes, is_test=True)
    return None


def _face(crop: Crop, min_face: int, thresholds: Sequence[float]) -> Crop:
    """The most certain face in a picture; the picture itself, ``missing``, where there is none or it cannot be read."""
    try:
        pixels = decode(Path(crop.image).read_bytes(), crop.name)  # pyrefly: ignore - a path
    except (ImageError, OSError):
        return crop  # told when it is read as a face
    found = detect_faces(pixels, min_face, list(thresholds))[:1]
    row = next((cut(pixels, crop.name, face.box, face.landmarks, face.score) for face in found), None)
    if row is None:
        return replace(crop, attributes={**crop.attributes, "missing": "no_face"})
    return replace(crop, image=row["image"], landmarks=row["landmarks"].tolist(), score=row["score"])
