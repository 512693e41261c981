"""Labeled Faces in the Wild for verification, as published: one folder per person, and the list of pairs in ten folds.

Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, University of Massachusetts, Amherst, 2007. The pictures
are kept as they lie there; copies that are cut or aligned, in the same folders, are read alike.
"""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa

from lrfr.config import Section
from lrfr.errors import ImageError, SourceError
from lrfr.faces import PAIR_SCHEMA, decode
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table, ids_by_file, listed_crops
from lrfr.sources.reading.dataset_files import find, pictures
from lrfr.sources.reading.lfw_faces import middle_face
from lrfr.sources.reading.list_checks import composed

LAYOUT = (
    "a folder with <any folders>/<Name>/<Name>_0001.jpg, or with another ending of a picture, and pairs.txt or "
    "lfw_pairs.txt"
)

PROTOCOL = "folds"


class Settings(Section):
    """``landmarks``: whether MTCNN looks for the landmarks of the face in the middle of each picture, by which models
    that take aligned faces align it; for the pictures as published, not for copies that are cut or aligned."""

    landmarks: bool = False


class Pair(NamedTuple):
    """Two pictures by file name without ending, such as Zico_0001, and whether they show the same person."""

    left: str
    right: str
    same: bool
    fold: int


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads the pairs and the pictures that they name; the others are excluded as unlisted.

    Raises:
        SourceError: the list of pairs is missing or does not have its published form, no picture that it names is
            there, or one is there twice.
    """
    list_file = find(root, "pairs.txt", "lfw_pairs.txt")
    pairs = read_pairs(root / list_file)
    stems = dict.fromkeys(stem for pair in pairs for stem in (pair.left, pair.right))
    files: dict[str, str] = {}
    for path in pictures(root, "")[0]:
        name = composed(PurePosixPath(path).name)
        stem = PurePosixPath(name).stem
        if files.setdefault(stem, name) != name and stem in stems:
            raise SourceError(f"{stem} stands twice, as {files[stem]} and {path}", where=root, remedy="take one away")
    names = {stem: files.get(stem, f"{stem}.jpg") for stem in stems}
    identities = {name: stem.rpartition("_")[0] for stem, name in names.items()}
    crops, excluded = listed_crops(root, "", identities, None, "verification")
    if settings.landmarks:
        crops = list(parallel_map(_with_landmarks, crops, "finding the faces of LFW", "picture"))
    faces, _ = crop_rows(crops, "lfw", "reading LFW", len(crops))
    ids = ids_by_file(crops, faces)
    rows = [pair._asdict() | {"left": ids[names[pair.left]], "right": ids[names[pair.right]]} for pair in pairs]
    excluded = [row for row in excluded if row["where"] != list_file]
    return Acquired(faces=faces, pairs=pa.Table.from_pylist(rows, PAIR_SCHEMA), excluded=excluded_table(excluded))


def _with_landmarks(crop: Crop) -> Crop:
    """A picture with the landmarks of its face; as it is, where none is found or nobody can read it."""
    try:
        face = middle_face(decode(crop.image if isinstance(crop.image, bytes) else crop.image.read_bytes(), crop.name))
    except (ImageError, OSError):
        return crop
    return crop if face is None else replace(crop, landmarks=face.landmarks.tolist(), score=face.score)


def read_pairs(path: Path) -> list[Pair]:
    """The published list: ``folds pairs`` (or only ``pairs``), then in each fold as many same as different pairs."""
    remedy = "get the list from its publisher again; its first line says: folds, and pairs of a kind in each"
    try:
        text = composed(path.read_text(encoding="utf-8-sig"))
        header, *lines = [line.split() for line in text.splitlines() if line.strip()]
        sizes = [int(number) for number in header]
    except ValueError as error:  # an empty file too
        raise SourceError(f"not a list of pairs: {error}", where=path, remedy=remedy) from error
    n_folds, n_pairs = (1, *sizes)[-2:]
    if len(lines) != 2 * n_folds * n_pairs:
        what = f"the list holds {len(lines)} pairs, and its first line says {n_folds} times 2 x {n_pairs}"
        raise SourceError(what, where=path, remedy=remedy)
    return [_pair(line, number, n_pairs, path) for number, line in enumerate(lines)]


def _pair(line: list[str], number: int, n_pairs: int, path: Path) -> Pair:
    """A line ``Name 1 2`` (the same person) or ``Name 1 Other 2``, ``number`` lines after the first."""
    same, fold = number // n_pairs % 2 == 0, number // (2 * n_pairs)
    try:
        name, first, *other, second = line
        if len(other) != (0 if same else 1) or any("/" in word for word in line):
            raise ValueError("the wrong number of words, or a path for a name")
        return Pair(f"{name}_{int(first):04d}", f"{(other or [name])[0]}_{int(second):04d}", same, fold)
    except ValueError as error:
        kind = "Name 1 2" if same else "Name 1 Other 2"
        what = f"line {number + 2} is not of the form '{kind}': {' '.join(line)}"
        raise SourceError(what, where=path, remedy="get the list from its publisher again") from error
