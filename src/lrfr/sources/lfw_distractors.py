"""Labeled Faces in the Wild as a distractor set: people with few pictures, in high resolution, among people with one.

Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, University of Massachusetts, Amherst, 2007. It is scored
by RIFR's P1 and P2 (Khalid et al., 2020), for which the paper takes FaceScrub's people and MegaFace's distractors. The
source ``lfw`` trains on people with its ``min_images`` pictures and more: with fewer here, nobody is in both.
"""

from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from lrfr.config import Section
from lrfr.errors import ImageError, SourceError
from lrfr.faces import decode
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.reading.cutting import cut
from lrfr.sources.reading.lfw_faces import middle_face
from lrfr.sources.reading.lfw_pictures import PUBLISHED_LAYOUT, read_pictures, stems_by_person

LAYOUT = PUBLISHED_LAYOUT
PROTOCOL = "rifr"
SOURCE = "lfw_distractors"

Picture = tuple[str, str | None, bytes]  # file name without ending, identity, encoded


class Settings(Section):
    """How many people with ``min_images`` to ``max_images`` pictures, and how many with one picture, are drawn."""

    min_images: int = Field(ge=2, le=10**9)
    max_images: int = Field(ge=2, le=10**9)
    identities: int = Field(gt=1, le=10**9)
    distractors: int = Field(gt=0, le=10**9)

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> Self:
        if self.min_images > self.max_images:
            raise ValueError("min_images is above max_images")
        return self


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Draws the people, and cuts the face in the middle of each picture out as MTCNN finds it.

    A picture that cannot be read, or without a face in its middle, is excluded.

    Raises:
        SourceError: there is no LFW at ``root``, or it has fewer such people than the settings ask for.
    """
    pictures, unread = read_pictures(root)
    people = stems_by_person(pictures)
    several = [name for name, stems in people.items() if settings.min_images <= len(stems) <= settings.max_images]
    single = [name for name, stems in people.items() if len(stems) == 1]
    rng = np.random.default_rng([seed, 1])
    probes = _drawn(rng, several, settings.identities, "people with so many pictures", root)
    strangers = _drawn(rng, single, settings.distractors, "people with one picture", root)
    chosen = [(stem, name, pictures[stem]) for name in probes for stem in people[name]]
    chosen += [(stem, None, pictures[stem]) for name in strangers for stem in people[name]]
    found = list(parallel_map(_face, chosen, "finding the faces of a distractor set", "picture"))
    crops = [crop for crop in found if isinstance(crop, Crop)]
    excluded = unread + [crop for crop in found if isinstance(crop, dict)]
    faces, unreadable = crop_rows(crops, SOURCE, "packing the distractor set", len(crops))
    return Acquired(faces=faces, excluded=excluded_table(excluded + unreadable))


def _drawn(rng: np.random.Generator, names: list[str], count: int, what: str, root: Path) -> list[str]:
    if len(names) < count:
        raise SourceError(f"{len(names)} {what}, {count} are asked for", where=root, remedy="ask for fewer")
    return [names[index] for index in sorted(rng.permutation(len(names))[:count])]


def _face(picture: Picture) -> Crop | dict[str, str]:
    """The face in the middle of a picture, or why there is none."""
    stem, identity, encoded = picture
    try:
        pixels = decode(encoded, stem)
    except ImageError as error:
        return {"where": stem, "reason": error.reason}
    face = middle_face(pixels)
    row = cut(pixels, stem, face.box, face.landmarks, face.score) if face else None
    if row is None:
        return {"where": stem, "reason": "no_face"}
    part, landmarks = "distractor" if identity is None else "probe", row["landmarks"].tolist()
    return Crop(
        stem, row["image"], identity, part, {"part": part}, is_test=True, landmarks=landmarks, score=row["score"]
    )
