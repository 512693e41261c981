"""LFW, CALFW, CPLFW, AgeDB-30, CFP-FP and their like as one .bin file: aligned faces in pairs, for ten folds.

The packing is insightface's: a pickle of two lists, the encoded images and whether two in a row are the same person.
"""

from pathlib import Path

import pyarrow as pa

from lrfr.config import Section
from lrfr.core.even_parts import part_of_each
from lrfr.faces import PAIR_SCHEMA
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows
from lrfr.sources.reading.pickled_pairs import read_pairs

LAYOUT = "one .bin file, such as lfw.bin, calfw.bin, cplfw.bin, agedb_30.bin or cfp_fp.bin: a pickle (images, issame)"

PROTOCOL = "folds"

FOLDS = 10


class Settings(Section):
    """A .bin file has nothing to set."""


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads a .bin file; its name without the ending is the source of its faces.

    An image that is used in several pairs stands there several times, and so it does here. Folds are ten runs of
    consecutive pairs, as even as can be.

    Raises:
        SourceError: see :func:`lrfr.sources.reading.pickled_pairs.read_pairs`.
    """
    images, same = read_pairs(root)
    crops = (
        Crop(f"{root.name}/{number:05d}", image, attributes={"part": "verification"}, is_test=True)
        for number, image in enumerate(images)
    )
    faces, _ = crop_rows(crops, root.stem, f"reading {root.name}", len(images))
    ids = faces["face_id"].to_pylist()
    pairs = {"left": ids[::2], "right": ids[1::2], "same": same, "fold": part_of_each(len(same), FOLDS)}
    return Acquired(faces=faces, pairs=pa.table(pairs, PAIR_SCHEMA))
