"""QMUL-SurvFace, as published: surveillance faces for open-set identification and for verification.

Cheng, Zhu, Gong: Surveillance Face Recognition Challenge, arXiv:1804.09691, 2018. The identities of gallery and mated
probes are those of the .mat files, which number the test identities anew: a number there and the same number in a file
name, or in training_set, are not the same person. Training identities are therefore called ``train_<id>``.
"""

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path, PurePosixPath

import pyarrow as pa

from lrfr.config import Section
from lrfr.faces import PAIR_SCHEMA
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table, ids_by_file, listed_crops
from lrfr.sources.reading.dataset_files import find, numbered_folders, some_pictures
from lrfr.sources.reading.mat_lists import identities_of, pairs_of

LAYOUT = (
    "a folder with training_set/<id>/<id>_cam<X>_<Y>.jpg, Face_Identification_Test_Set/{gallery,mated_probe,"
    "unmated_probe}/*.jpg, Face_Verification_Test_Set/verification_images/*.jpg; gallery_img_ID_pairs.mat and "
    "mated_probe_img_ID_pairs.mat in Face_Identification_Test_Set or Face_Identification_Evaluation, "
    "positive_pairs_names.mat and negative_pairs_names.mat in Face_Verification_Test_Set or "
    "Face_Verification_Evaluation"
)

PROTOCOL = "survface"

IDENTIFICATION = ("Face_Identification_Test_Set", "Face_Identification_Evaluation")
VERIFICATION = ("Face_Verification_Test_Set", "Face_Verification_Evaluation")
IMAGES = "Face_Verification_Test_Set/verification_images"

CAMERA = re.compile(r"_cam(\d+)_", re.IGNORECASE)  # some names have none


class Settings(Section):
    """QMUL-SurvFace has nothing to set."""


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads QMUL-SurvFace.

    ``part`` is gallery, mated_probe, unmated_probe or verification; unmated probes have no identity, and neither have
    the verification images, of which the lists say only which two are alike.

    Raises:
        SourceError: a folder or a .mat file is missing, a .mat file cannot be right, or a path leads out of ``root``.
    """
    training, strays = numbered_folders(root, "training_set")
    gallery, unused = _listed(root, "gallery", "gallery")
    mated, unused_probes = _listed(root, "mated_probe", "probe")
    unmated, others = some_pictures(root, "Face_Identification_Test_Set/unmated_probe")
    pairs = _pairs(root)
    alike, unpaired = listed_crops(
        root, IMAGES, {name: None for *names, _ in pairs for name in names}, None, "verification"
    )
    crops = chain(
        (Crop(name, root / name, f"train_{number}", "train") for name, number in training.items()),
        gallery,
        mated,
        (Crop(name, root / name, None, "probe", {"part": "unmated_probe"}, is_test=True) for name in unmated),
        alike,
    )
    total = len(training) + len(gallery) + len(mated) + len(unmated) + len(alike)
    faces, unread = crop_rows(map(_with_camera, crops), "survface", "reading QMUL-SurvFace", total)
    excluded = excluded_table(strays + unused + unused_probes + others + unpaired + unread)
    known = ids_by_file(alike, faces)
    rows = [{"left": known[left], "right": known[right], "same": same} for left, right, same in pairs]
    return Acquired(faces=faces, pairs=pa.Table.from_pylist(rows, PAIR_SCHEMA), excluded=excluded)


def _listed(root: Path, part: str, split: str) -> tuple[list[Crop], list[dict[str, str]]]:
    """The gallery or the mated probes, with the identities of their .mat file."""
    mat = find(root, *(f"{place}/{part}_img_ID_pairs.mat" for place in IDENTIFICATION))
    identities = identities_of(root, mat, f"{part}_set", f"{part}_ids")
    return listed_crops(root, f"Face_Identification_Test_Set/{part}", identities, split, part)


def _pairs(root: Path) -> list[tuple[str, str, bool]]:
    """The published pairs of file names, positive ones first."""
    found = []
    for kind, same in (("positive", True), ("negative", False)):
        mat = find(root, *(f"{place}/{kind}_pairs_names.mat" for place in VERIFICATION))
        found += [(left, right, same) for left, right in pairs_of(root, mat)]
    return found


def _with_camera(crop: Crop) -> Crop:
    """The crop with the camera that its file name tells, if it tells one."""
    camera = CAMERA.search(PurePosixPath(crop.name).name)
    return replace(crop, attributes={**crop.attributes, "camera": str(int(camera[1]))}) if camera else crop
