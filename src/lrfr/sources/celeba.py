"""CelebA, as published: portraits of celebrities with identities, landmarks and attributes, to train on.

Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild, ICCV 2015. Its faces come aligned, which is what is
read where both are there, or in the original images, out of which they are cut at the published boxes.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.celeba_lists import has_list, read_numbers, read_table, read_values
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.reading.cutting import Box, Listed, cut_photos
from lrfr.sources.reading.dataset_files import find, pictures
from lrfr.sources.reading.list_checks import check_matches, check_present, named
from lrfr.sources.reading.selection import Selection, select

LAYOUT = (
    "identity_CelebA.txt, and img_align_celeba/000001.jpg or, with list_bbox_celeba.txt, img_celeba/000001.jpg; read "
    "when there: list_landmarks_align_celeba.txt or list_landmarks_celeba.txt, list_attr_celeba.txt, "
    "list_eval_partition.txt; lists also in Anno or Eval, images also in Img"
)
SOURCE = "celeba"

PLACES = ("img_align_celeba", "Img/img_align_celeba", "img_celeba", "Img/img_celeba")
DEMOGRAPHICS = ("Male", "Young")  # of the 40 attributes, those that say whom the faces show
PARTS = {"0": "train", "1": "validation", "2": "test"}

Read = tuple[pa.Table, list[dict[str, Any]]]  # faces, and rows of what is excluded


COLLECTIONS = ("auxiliary",)


class Settings(Selection):
    """How much is taken. A face cut from an original image takes some 100 kB of memory, an aligned one 7 kB."""


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads CelebA as auxiliary faces; its own partition is only noted, as ``part``.

    Raises:
        SourceError: a file is missing, a list has a line that does not fit, or a path leads out of ``root``.
    """
    identities = read_values(root, "identity_CelebA.txt")
    folder = find(root, *PLACES)
    files, excluded = pictures(root, folder)
    there, images = set(files), {}
    absent = [name for name in identities if f"{folder}/{name}" not in there]
    check_present(root, folder, identities, absent)
    excluded += [{"where": f"{folder}/{name}", "reason": "absent"} for name in absent]
    excluded += [{"where": file, "reason": "unlisted"} for file in files if PurePosixPath(file).name not in identities]
    for name, identity in identities.items():
        if f"{folder}/{name}" in there:
            images.setdefault(named(identity, f"identity_CelebA.txt: {name}"), []).append(name)
    chosen = {name: identity for identity, names in select(images, settings, seed).items() for name in names}
    read = _aligned if "align" in folder else _original
    faces, unread = read(root, folder, chosen, _described(root))
    return Acquired(faces=faces, excluded=excluded_table(excluded + unread))


Attributes = Mapping[str, Mapping[str, str]]  # by file name


def _aligned(root: Path, folder: str, images: Mapping[str, str], attributes: Attributes) -> Read:
    """The aligned images, which are faces already cut."""
    landmarks = _landmarks(root, "list_landmarks_align_celeba.txt", images)
    crops = (
        Crop(
            f"{folder}/{name}",
            root / folder / name,
            identity,
            attributes=attributes.get(name, {}),
            collection="auxiliary",
            landmarks=landmarks.get(name),
        )
        for name, identity in images.items()
    )
    return crop_rows(crops, SOURCE, "reading CelebA", len(images))


def _original(root: Path, folder: str, images: Mapping[str, str], attributes: Attributes) -> Read:
    """The faces in the original images; one without a box counts as without a face."""
    boxes, landmarks = read_numbers(root, "list_bbox_celeba.txt"), _landmarks(root, "list_landmarks_celeba.txt", images)
    check_matches(images, boxes, "stands in list_bbox_celeba.txt", root)
    photos = {}
    for name, identity in images.items():
        box = Box(boxes[name], identity, landmarks.get(name), None, attributes.get(name, {})) if name in boxes else None
        photos[f"{folder}/{name}"] = root / folder / name, Listed([] if box is None else [box])
    cut = cut_photos(photos, SOURCE, "auxiliary", keep_photos=False)
    return cut.faces, cut.excluded


def _landmarks(root: Path, file: str, images: Mapping[str, str]) -> dict[str, list[float]]:
    """The five points of each image, in the order of the face table; none where the list is not there."""
    if not has_list(root, file):
        return {}
    landmarks = read_numbers(root, file)
    check_matches(images, landmarks, f"stands in {file}", root)
    return landmarks


def _described(root: Path) -> dict[str, dict[str, str]]:
    """What the lists that are there say of each image: its demographics, yes or no, and its part."""
    described: dict[str, dict[str, str]] = {}
    if has_list(root, "list_eval_partition.txt"):
        for name, part in read_values(root, "list_eval_partition.txt").items():
            described[name] = {"part": PARTS.get(part, part)}
    if has_list(root, "list_attr_celeba.txt"):
        for name, values in read_table(root, "list_attr_celeba.txt").items():
            said = {key: "yes" if values[key] == "1" else "no" for key in DEMOGRAPHICS if key in values}
            described.setdefault(name, {}).update(said)
    return described
