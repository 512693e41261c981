"""TinyFace, as published: native low-resolution faces, partitioned for closed-set identification.

Cheng, Zhu, Gong: Low-Resolution Face Recognition, ACCV 2018. The identities of probes and gallery are those of the two
.mat files, which the readme places in Testing_Set and some copies in Face_Identification_Evaluation.
"""

from itertools import chain
from pathlib import Path

from lrfr.config import Section
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table, listed_crops
from lrfr.sources.reading.dataset_files import find, numbered_folders, some_pictures
from lrfr.sources.reading.mat_lists import identities_of

LAYOUT = (
    "a folder with Training_Set/<id>/<id>_<name>.jpg, Testing_Set/{Probe,Gallery_Match,Gallery_Distractor}/*.jpg, and "
    "gallery_match_img_ID_pairs.mat and probe_img_ID_pairs.mat in Testing_Set or Face_Identification_Evaluation"
)

PROTOCOL = "tinyface"

PLACES = ("Testing_Set", "Face_Identification_Evaluation")


class Settings(Section):
    """TinyFace has nothing to set."""


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads TinyFace; its partition stands in ``split``.

    Raises:
        SourceError: a folder or a .mat file is missing, a .mat file cannot be right, or a path leads out of ``root``.
    """
    gallery, excluded = _listed(root, "gallery_match", "gallery", "Gallery_Match")
    probes, unused = _listed(root, "probe", "probe", "Probe")
    distractors, strays = some_pictures(root, "Testing_Set/Gallery_Distractor")
    training, others = numbered_folders(root, "Training_Set")
    crops = chain(
        (Crop(name, root / name, identity, "train") for name, identity in training.items()),
        probes,
        gallery,
        (Crop(name, root / name, None, "distractor", {"part": "distractor"}, is_test=True) for name in distractors),
    )
    total = len(training) + len(probes) + len(gallery) + len(distractors)
    faces, unread = crop_rows(crops, "tinyface", "reading TinyFace", total)
    return Acquired(faces=faces, excluded=excluded_table(excluded + unused + strays + others + unread))


def _listed(root: Path, file: str, part: str, folder: str) -> tuple[list[Crop], list[dict[str, str]]]:
    """The probes or the gallery, with the identities of their .mat file."""
    mat = find(root, *(f"{place}/{file}_img_ID_pairs.mat" for place in PLACES))
    identities = identities_of(root, mat, f"{part}_set", f"{part}_ids")
    return listed_crops(root, f"Testing_Set/{folder}", identities, part, part)
