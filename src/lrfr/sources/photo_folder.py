"""A folder of photos, with faces that somebody else's detector found or without.

Without a list of detections, MTCNN looks for the faces in ``detect``. With one, they are cut out here as they are
listed, and the photos come along, so that a person who verifies a face can look around its box.
"""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from lrfr.config import Place, Section
from lrfr.errors import SourceError
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import excluded_table
from lrfr.sources.reading.cutting import Listed, cut_photos
from lrfr.sources.reading.dataset_files import find, pictures, within
from lrfr.sources.reading.detections import read_detections
from lrfr.sources.reading.list_checks import check_present, composed
from lrfr.sources.reading.photos import photo_table

LAYOUT = (
    "photos in any folders, and, if faces were detected elsewhere, a list of them: COCO's .json, WIDER FACE's .txt, or "
    "a .csv or .parquet with photo, x, y, width, height and, if known, identity, score, landmarks"
)
SOURCE = "photo_folder"


class Settings(Section):
    """Where the photos and the list lie under the root, and what the faces become.

    ``photos`` is the folder that the list's names are relative to, ``detections`` the list, ``collection`` native for
    the benchmark or auxiliary for HR faces to train on, which need names.
    """

    photos: Place = "."
    detections: Place | None = None
    collection: Literal["native", "auxiliary"] = "native"

    @model_validator(mode="after")
    def _names_come_from_detections(self) -> "Settings":
        if self.collection == "auxiliary" and self.detections is None:
            raise ValueError("auxiliary faces need names: give detections with identities")
        return self


def check_files(root: Path, settings: Settings) -> None:
    """Raises a SourceError unless the folder of the photos and the list of detections are there."""
    for name in (settings.photos, settings.detections):
        if name is not None:
            find(root, name)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads the photos, and cuts their faces where a list says where they are.

    Excluded are photos that are not in the list (``unlisted``), that it names and nobody has (``absent``), or in which
    it has no face (``no_face``); auxiliary faces without a name (``no_identity``); and boxes that cannot be cut out.

    Raises:
        SourceError: the folder or the list is missing or not of its kind, or a name in it leads out of ``root``.
    """
    names, excluded = pictures(root, settings.photos)
    if settings.detections is None:
        if not names:
            raise SourceError("no photo lies here", where=root / settings.photos, remedy=f"expected: {LAYOUT}")
        photos = photo_table({name: root / name for name in names}, SOURCE, settings.collection)
        return Acquired(photos=photos, excluded=excluded_table(excluded))
    place = find(root, settings.detections)
    found = _by_file(root, settings, read_detections(within(root, place)), names)
    excluded = [row for row in excluded if row["where"] != place]
    excluded += [{"where": name, "reason": "unlisted"} for name in names if name not in found]
    cut = cut_photos(
        {name: (root / name, listed) for name, listed in found.items()}, SOURCE, settings.collection, keep_photos=True
    )
    return Acquired(photos=cut.photos, faces=cut.faces, excluded=excluded_table(excluded + cut.excluded))


def _by_file(root: Path, settings: Settings, detections: dict[str, Listed], names: list[str]) -> dict[str, Listed]:
    """What the list says of each photo, by the photo's path relative to the root.

    Raises:
        SourceError: most of the listed photos are not there, a name leads out of the root, or two names are one file.
    """
    there = {composed(name): name for name in names}
    found: dict[str, Listed] = {}
    for name, listed in detections.items():
        path = within(root, (Path(settings.photos) / name).as_posix()).relative_to(root).as_posix()
        path = there.get(composed(path), path)
        if path in found:
            raise SourceError("a photo stands twice in the list, under two names", where=path, remedy="take one out")
        if settings.collection == "auxiliary":
            boxes = [box if box.identity else replace(box, fault="no_identity") for box in listed.boxes]
            listed = replace(listed, boxes=boxes)
        found[path] = listed
    check_present(root, settings.photos, found, [path for path in found if not (root / path).exists()])
    return found
