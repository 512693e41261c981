"""Generated people before surveillance cameras: a small instance of QMUL-SurvFace's test sets.

Cheng, Zhu & Gong: Surveillance Face Recognition Challenge, 2018. Everybody stands far from a poor camera; the people
of the two identification sets, of the unmated probes and of the verification set are different ones.
"""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import Field

from lrfr.config import Section
from lrfr.faces import PAIR_SCHEMA
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.rendering.capture import SMALL_SIDE, Stream, draws, far, sit, someone
from lrfr.sources.rendering.pairing import verification_pairs

LAYOUT = "nothing: the pictures are rendered from params.yaml's seed"
PROTOCOL = "survface"
SOURCE = "generated_surveillance"
SPLIT = {
    "train": "train",
    "gallery": "gallery",
    "mated_probe": "probe",
    "unmated_probe": "probe",
    "verification": None,
}
FACE_HEIGHT = (10, 32)  # px; SurvFace's mean is 24 x 20
AWAY = 0.02  # share of images in which somebody looks away, and no face is found


class Settings(Section):
    """How many people, and how many images of each of them in every part that they are in; ``train_identities`` are in
    none that is tested."""

    identities: int = Field(gt=1, le=10**6)
    unmated: int = Field(gt=0, le=10**6)
    verification_identities: int = Field(gt=1, le=10**6)
    images: int = Field(gt=1, le=10**6)
    train_identities: int = Field(default=0, ge=0, le=10**6)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Renders the set; ``root`` is not read. Equal settings and seed give equal bytes."""
    parts = (
        [("gallery", "mated_probe")] * settings.identities
        + [("unmated_probe",)] * settings.unmated
        + [("verification",)] * settings.verification_identities
    )
    train = [(len(parts) + number, ("train",)) for number in range(settings.train_identities)]
    people = [*train, *enumerate(parts)]
    taken = parallel_map(partial(_images, seed, settings.images), people, "rendering surveillance", "person")
    crops = [crop for images in taken for crop in images]
    lost = [{"where": crop.name, "reason": "no_face"} for crop in crops if crop.split == "train" and _is_lost(crop)]
    crops = [crop for crop in crops if crop.split != "train" or not _is_lost(crop)]
    faces, _ = crop_rows(crops, SOURCE, "packing surveillance", len(crops))
    last = faces["face_id"].to_pylist()[-settings.verification_identities * settings.images :]
    verified = np.reshape(last, (-1, settings.images)).tolist()
    rows = verification_pairs(verified, draws(seed, Stream.SURVEILLANCE))
    pairs = pa.Table.from_pylist(rows, PAIR_SCHEMA)
    return Acquired(faces=faces, pairs=pairs, excluded=excluded_table(lost))


def _is_lost(crop: Crop) -> bool:
    """Whether no face was found: nothing can be learnt from it; where it is tested it scores as a miss."""
    return "missing" in crop.attributes


def _images(seed: int, images: int, person: tuple[int, tuple[str, ...]]) -> list[Crop]:
    """One person's images; as in SurvFace, identities are given for identification alone."""
    number, parts = person
    identity = f"s{number + 1:04d}" if {"gallery", "train"} & set(parts) else None
    somebody = someone(seed, Stream.SURVEILLANCE, number)
    crops = []
    for picture, part in enumerate(np.repeat(parts, 1 if "unmated_probe" in parts else images).tolist()):
        rng = draws(seed, Stream.SURVEILLANCE, number, picture)
        sitting = sit(somebody, rng, SMALL_SIDE, away=rng.random() < AWAY)
        shot = far(sitting, float(rng.uniform(*FACE_HEIGHT)), rng)
        camera = str(rng.integers(1, 9))
        name = f"{part}/{number + 1:04d}_cam{camera}_{picture + 1}.png"
        crops.append(shot.crop(name, identity, SPLIT[part], part=part, camera=camera))
    return crops
