"""Labeled Faces in the Wild, as published: a folder or a tar archive with one folder per person.

Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, University of Massachusetts, Amherst, 2007.

People with enough pictures are named, and at most ``max_images`` pictures of each are used. Some of them become the
auxiliary HR set; the pictures of the others, and up to ``distractors`` of the people with fewer pictures, who stay
without a name, are taken again through a poor camera from far away: native LR. Some pictures of the auxiliary people
are taken once more, so that nobody could recognise them.
"""

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from pydantic import Field

from lrfr.config import Section
from lrfr.errors import ImageError, SourceError
from lrfr.faces import PHOTO_SCHEMA, TAG_SCHEMA, decode
from lrfr.parallel import parallel_map
from lrfr.progress import track
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.reading.cutting import cut
from lrfr.sources.reading.flaws import draw_flaw, flawed
from lrfr.sources.reading.lfw_faces import middle_face
from lrfr.sources.reading.lfw_pictures import HEAD, PUBLISHED_LAYOUT, read_pictures, stems_by_person

LAYOUT = PUBLISHED_LAYOUT

SOURCE = "lfw"
GAMMA = 2.2  # between light and the values of a picture
SHOT, READ = 0.02, 0.008  # noise of the camera that spoils faces, of a white that is 1
FACE_HEIGHT = 0.48  # share of LFW's pictures' height that MTCNN's box has, brow to chin
COLLECTIONS = ("native", "auxiliary", "unrecognizable")


class Settings(Section):
    """Which people and how many pictures.

    ``auxiliary_fraction`` (0..1) of the people with at least ``min_images`` pictures are auxiliary, the others native;
    at most ``max_images`` of each are used. At most ``distractors`` pictures of people with fewer stay without a name.
    At most ``unrecognizable`` pictures of auxiliary people are taken once more: tiny, smeared by motion or in the dark.
    ``face_height`` (0..1) is the share of a picture's height that the face has, brow to chin: LFW's own by default, and
    about 0.9 where the pictures are cut tightly around the face, as those of ORL.
    """

    min_images: int = Field(ge=2, le=10**9)
    max_images: int = Field(ge=2, le=10**9)
    auxiliary_fraction: float = Field(gt=0, lt=1)
    distractors: int = Field(ge=0, le=10**9)
    unrecognizable: int = Field(default=0, ge=0, le=10**9)
    face_height: float = Field(default=FACE_HEIGHT, gt=0, le=1)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads LFW.

    Raises:
        SourceError: see :func:`lrfr.sources.reading.lfw_pictures.read_pictures`; or no person has enough pictures.
    """
    pictures, excluded = read_pictures(root)
    people = stems_by_person(pictures)
    named = [name for name, stems in people.items() if len(stems) >= settings.min_images]
    if len(named) < 2:
        what = f"{len(named)} of {len(people)} people have at least {settings.min_images} pictures; two are needed"
        raise SourceError(what, where=root, remedy="lower acquire.settings.min_images")
    rng = np.random.default_rng([seed, 0])
    shuffled = [named[index] for index in rng.permutation(len(named))]
    n_auxiliary = min(max(round(settings.auxiliary_fraction * len(named)), 1), len(named) - 1)
    auxiliary = {stem for name in shuffled[:n_auxiliary] for stem in people[name][: settings.max_images]}
    native = {stem for name in shuffled[n_auxiliary:] for stem in people[name][: settings.max_images]}
    rest = sorted(stem for name in set(people) - set(named) for stem in people[name])
    distractors = {rest[index] for index in rng.permutation(len(rest))[: settings.distractors]}

    photos, tags = [], []
    for stem in track(sorted(auxiliary | native | distractors), "reading LFW"):
        photo = _photo(stem, pictures[stem], stem in auxiliary, settings.face_height, seed)
        photos.append(photo)
        if stem not in distractors:
            size = np.tile([photo["width"], photo["height"]], 2)
            box = (_head(settings.face_height) * size).tolist()
            tags.append({"photo_id": stem, "identity": stem.rpartition("_")[0], "box": box})
    tables = pa.Table.from_pylist(photos, PHOTO_SCHEMA), pa.Table.from_pylist(tags, TAG_SCHEMA)
    acquired = Acquired(*tables, excluded=excluded_table(excluded))
    if not settings.unrecognizable:
        return acquired
    spoilt = sorted(rng.permutation(sorted(auxiliary))[: settings.unrecognizable].tolist())
    return replace(acquired, faces=_beyond_recognition({stem: pictures[stem] for stem in spoilt}, seed))


def _head(face_height: float) -> np.ndarray:
    """Where the head is in a picture whose face has this share of its height: x, y, width, height, shares."""
    corners = np.array([HEAD[0], HEAD[1], HEAD[0] + HEAD[2], HEAD[1] + HEAD[3]])
    low, high = np.clip(0.5 + (corners - 0.5) * (face_height / FACE_HEIGHT), 0, 1).reshape(2, 2)
    return np.array(HEAD) if face_height == FACE_HEIGHT else np.concatenate([low, high - low])


def _photo(stem: str, picture: bytes, is_auxiliary: bool, face_height: float, seed: int) -> dict[str, Any]:
    """A row of the photo table. A picture that cannot be read goes through as it is, for detect to set it aside."""
    row = {
        "photo_id": stem,
        "source": SOURCE,
        "collection": "auxiliary" if is_auxiliary else "native",
        "image": picture,
    }
    try:
        pixels = decode(picture)
    except ImageError:
        return row | {"width": 0, "height": 0}
    if not is_auxiliary:
        # The camera's draws depend on the picture alone, so that two copies of it stay copies, whatever their names.
        digest = hashlib.sha256(picture).digest()
        pixels, row["image"] = _far_camera(pixels, face_height, np.random.default_rng([seed, *digest[:8]]))
    return row | {"width": pixels.shape[1], "height": pixels.shape[0]}


def _far_camera(picture: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, bytes]:
    """The same scene from far away through a poor camera.

    Args:
        picture: (H, W, 3) RGB, uint8.
        share: of the picture's height that the face has.
        rng: draws the distance, the light, the noise and the compression.

    Returns:
        The small picture, (h, w, 3) RGB, uint8, with a face of 10 to 32 px in height, and its JPEG.
    """
    face_height = 10 + 22 * rng.beta(2, 2.4)  # mean 20 px, as TinyFace's Fig. 4
    scale = face_height / (share * picture.shape[0])
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    light = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    light *= rng.uniform(0.75, 1.1)
    shot, read = rng.uniform(0.005, 0.03), rng.uniform(0.002, 0.012)  # noise grows with the light, on a floor
    light += rng.normal(size=light.shape) * np.sqrt(shot**2 * light + read**2)
    small = np.rint(np.clip(light, 0, 1) * 255).astype(np.uint8)
    quality = int(rng.integers(70, 96))
    return small, cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _beyond_recognition(pictures: dict[str, bytes], seed: int) -> pa.Table:
    """The faces of pictures, each taken with a flaw; one that the detector misses even in the sharp picture is none."""
    taken = parallel_map(partial(_spoilt, seed), pictures.items(), "spoiling faces", "picture", len(pictures))
    crops = [crop for crop in taken if crop is not None]
    return crop_rows(crops, SOURCE, "packing unrecognizable faces", len(crops))[0]


def _spoilt(seed: int, item: tuple[str, bytes]) -> Crop | None:
    stem, picture = item
    try:
        pixels = decode(picture)
    except ImageError:
        return None
    face = middle_face(pixels)
    if face is None:
        return None
    rng = np.random.default_rng([seed, 2, *hashlib.sha256(picture).digest()[:8]])
    flaw, height = draw_flaw(rng)
    light = flawed((pixels / np.float32(255)) ** np.float32(GAMMA), face.box[3], flaw, rng)
    scale = height / face.box[3]
    size = [max(round(side * scale), 1) for side in pixels.shape[1::-1]]
    light = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    light = light + rng.normal(size=light.shape) * np.sqrt(SHOT**2 * light + READ**2)
    seen = np.rint(255 * light.clip(0, 1) ** (1 / GAMMA)).astype(np.uint8)
    row = cut(seen, stem, (np.array(face.box) * scale).tolist(), np.array(face.landmarks) * scale, face.score)
    if row is None:
        return None
    return Crop(
        f"unrecognizable/{stem}.png", row["image"], attributes={"flaw": flaw}, collection="unrecognizable",
        landmarks=row["landmarks"].tolist(), score=face.score,
    )  # fmt: skip
