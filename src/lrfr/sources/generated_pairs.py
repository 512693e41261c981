"""Generated people in ten folds of pairs: a small instance of LFW's verification protocol.

Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, 2007. As many pairs of one person as of two; nobody is
in two folds.
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
from lrfr.sources.reading.crops import Crop, crop_rows
from lrfr.sources.rendering.capture import Stream, draws, near, sit, someone
from lrfr.sources.rendering.pairing import verification_pairs

LAYOUT = "nothing: the pictures are rendered from params.yaml's seed"
PROTOCOL = "folds"
SOURCE = "generated_pairs"
FOLDS = 10


class Settings(Section):
    """How many people in each of the ten folds, and images of each."""

    identities_per_fold: int = Field(gt=1, le=10**6)
    images: int = Field(gt=1, le=10**6)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Renders the set; ``root`` is not read. Equal settings and seed give equal bytes."""
    people = range(FOLDS * settings.identities_per_fold)
    taken = list(parallel_map(partial(_images, seed, settings.images), people, "rendering pairs", "person"))
    crops = [crop for images in taken for crop in images]
    faces, _ = crop_rows(crops, SOURCE, "packing pairs", len(crops))
    ids = np.reshape(faces["face_id"].to_pylist(), (FOLDS, settings.identities_per_fold, settings.images))
    rows = [
        row | {"fold": fold}
        for fold, members in enumerate(ids.tolist())
        for row in verification_pairs(members, draws(seed, Stream.PAIRS, fold))
    ]
    return Acquired(faces=faces, pairs=pa.Table.from_pylist(rows, PAIR_SCHEMA))


def _images(seed: int, images: int, number: int) -> list[Crop]:
    """One person's portraits."""
    identity = f"f{number + 1:04d}"
    somebody = someone(seed, Stream.PAIRS, number)
    shots = [near(sit(somebody, draws(seed, Stream.PAIRS, number, picture))) for picture in range(images)]
    return [
        shot.crop(f"{identity}/{identity}_{picture + 1:04d}.png", identity, part="verification")
        for picture, shot in enumerate(shots)
    ]
