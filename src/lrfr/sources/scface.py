"""SCface, as published: high-resolution mugshots, and five surveillance cameras at three distances.

Grgic, Delac, Grgic: SCface - surveillance cameras face database, Multimedia Tools and Applications, 2011. The pictures
are kept as they lie there; copies cut by a face detector, in the same folders, are read alike.
"""

import re
from pathlib import Path

from lrfr.config import Section
from lrfr.errors import SourceError
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.reading.dataset_files import pictures

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
    """SCface has nothing to set."""


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads SCface: mugshots are the gallery, surveillance pictures the probes.

    ``part`` is mugshot or distance_1, distance_2, distance_3; ``camera`` 1 to 5; ``distance`` in metres. Pictures of
    other cameras (infrared) are excluded as unlisted.

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
    faces, _ = crop_rows(crops, "scface", "reading SCface", len(crops))
    return Acquired(faces=faces, excluded=excluded_table(excluded))


def _crop(root: Path, name: str) -> Crop | None:
    """The crop that a path stands for, if it is one of the layout's."""
    if mugshot := MUGSHOT.fullmatch(name):
        return Crop(name, root / name, mugshot["id"].zfill(3), "gallery", {"part": "mugshot"}, is_test=True)
    if probe := PROBE.fullmatch(name):
        step = probe["distance"]
        attributes = {"part": f"distance_{step}", "camera": probe["camera"], "distance": METRES[step]}
        return Crop(name, root / name, probe["id"].zfill(3), "probe", attributes, is_test=True)
    return None
