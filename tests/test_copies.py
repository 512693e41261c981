import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from lrfr.copies import COMPARED, find, fingerprints
from lrfr.core.curation import BENCHMARK
from lrfr.core.duplicates import HASH_BITS, SAME_PICTURE
from lrfr.faces import encode_png
from lrfr.images import Images
from tests.drawing import jpeg, portrait
from tests.face_tables import images_of

ROOT = Path(__file__).parents[1]
PLACES = (os.environ.get("LFW", ""), ROOT / "raw/lfw-gray.tar", ROOT.parent / "shared/data/lfw-gray.tar")
LFW = next((Path(place) for place in PLACES if Path(place).is_file()), None)


def found_in(images: dict[str, tuple[bytes, str | None]]) -> list[dict]:
    """What is found among pictures, by their ids and the names that they have."""
    columns = {
        "face_id": list(images),
        "source": ["lfw"] * len(images),
        "identity": [name for _, name in images.values()],
        "split": pa.nulls(len(images), pa.string()),
        "use": pa.array([BENCHMARK] * len(images), pa.int8()),
        "test_set": pa.nulls(len(images), pa.string()),
    }
    return find(pa.table(columns).select(COMPARED), [stored(image for image, _ in images.values())])


def stored(images: Iterable[bytes]) -> Images:
    images = list(images)
    return images_of(pa.table({"face_id": [f"{row}" for row in range(len(images))], "image": images}))


def test_copies_survive_recompression_and_resizing_and_others_stay_apart():
    lights = np.random.default_rng(0).uniform(0.3, 1, (8, 2, 2, 3))
    originals = [(portrait(48, n) * cv2.resize(light, (48, 48))).astype(np.uint8) for n, light in enumerate(lights)]
    changed = {
        "png": encode_png,
        "jpeg": lambda image: cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes(),
        "half": lambda image: encode_png(cv2.resize(image, (24, 24), interpolation=cv2.INTER_AREA)),
        "twice": lambda image: jpeg(cv2.resize(image, (96, 96), interpolation=cv2.INTER_CUBIC)),
    }
    images = [change(image) for image in originals for change in changed.values()]
    seen = fingerprints([stored(images[:5]), stored(images[5:])])
    near = np.bitwise_count(seen.hash[:, None] ^ seen.hash) <= HASH_BITS
    difference = np.abs(seen.thumbnail[:, None].astype(float) - seen.thumbnail).mean(axis=(2, 3, 4))
    same = np.repeat(np.arange(8), 4)
    assert np.array_equal(near & (difference <= SAME_PICTURE), same[:, None] == same)
    assert len(set(seen.digest.tolist())) == len(images)


def test_what_cannot_be_read_is_told_apart():
    seen = fingerprints([stored([b"", jpeg(portrait(40, 1)), b"no image"])])
    assert seen.fault.tolist() == ["empty", None, "not_image"]
    assert [row["reason"] for row in found_in({"a": (b"", None), "b": (b"no image", "ann")})] == [
        "not_image",
        "empty",
    ]


@pytest.mark.skipif(LFW is None, reason="LFW is not here")
def test_the_known_copies_in_lfw_are_found():
    """Among all pictures of people whose names begin like theirs, and nobody else's."""
    pictures = {}
    with tarfile.open(LFW) as archive:
        for member in archive:
            stem = Path(member.name).stem
            if member.name.endswith(".jpg") and stem.startswith(("Ba", "Car", "Ra", "Ri", "Em", "Ev")):
                pictures[stem] = (archive.extractfile(member).read(), stem.rpartition("_")[0])
    found = {
        (row["face_id"], row["copy_of"], row["kind"]) for row in found_in(pictures) if row["reason"] == "two_names"
    }
    pairs = [
        ("Carlos_Beltran_0001", "Raul_Ibanez_0001", "exact"),
        ("Bart_Hendricks_0001", "Ricky_Ray_0001", "exact"),
        ("Emmy_Rossum_0001", "Eva_Amurri_0001", "near"),
    ]
    assert found == {pair for a, b, kind in pairs for pair in ((a, b, kind), (b, a, kind))}
