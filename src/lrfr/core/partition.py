"""The split of the benchmark: identity-disjoint halves, probe and gallery, distractors.

Every choice is a hash of the seed and of what it is about, so that no identity changes side, and no image its place
among train and test, when other identities are added. New images of an identity that is there do not move it either,
but for one case: an identity with a single image trains, and its draw counts from the second image on. They may move
its images between probe and gallery, for these stay halves.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from lrfr.errors import BenchmarkError

PARTS = ("train", "probe", "gallery", "distractor")
NOBODY = -1  # the number of a face whose identity is not known


def assign(
    face_ids: np.ndarray, person: np.ndarray, names: Sequence[str], train_fraction: float, seed: int
) -> np.ndarray:
    """Assigns native faces to train, probe, gallery or distractor, as TinyFace does.

    An identity is tested only if it has two images, one to look for and one to find; one with a single image trains,
    whatever its draw, for its name is known and it must not stand among the unknown. Of a test identity's images half
    are probes, half gallery, an odd one gallery. A face without an identity is a distractor.

    Args:
        face_ids: (N,) unique ids, bytes.
        person: (N,) int: whose face it is, a place in ``names``; ``NOBODY`` for one that nobody could name.
        names: (K,) distinct identities.
        train_fraction: the expected share (0..1) of identities that train.
        seed: draws the sides.

    Returns:
        (N,) train, probe, gallery or distractor.
    """
    split = np.full(len(person), "distractor", dtype=object)
    known = np.flatnonzero(person != NOBODY)
    face_ids, person = face_ids[known], person[known]
    images = np.bincount(person, minlength=len(names))
    trains = (images < 2) | (np.array([_draw(seed, "identity", name) for name in names]) < train_fraction)
    is_probe = _shuffled_place(face_ids, person, seed, "image") < images[person] // 2
    split[known] = np.where(trains[person], "train", np.where(is_probe, "probe", "gallery"))
    return split


def hold_out(face_ids: np.ndarray, person: np.ndarray, seed: int) -> np.ndarray:
    """Holds about one image in ten of each identity out for validation, at least one where there are five.

    Args:
        face_ids: (N,) unique ids of auxiliary faces, bytes.
        person: (N,) int: whose face it is.
        seed: draws the images.

    Returns:
        (N,) train or validation.
    """
    images = np.bincount(person)
    held_out = np.where(images >= 5, np.maximum(np.rint(images / 10), 1), 0)
    validates = _shuffled_place(face_ids, person, seed, "validation") < held_out[person]
    return np.where(validates, "validation", "train").astype(object)


def check(person: np.ndarray, names: Sequence[str], split: np.ndarray, auxiliary: Iterable[str]) -> None:
    """Proves that nobody who is tested was trained on, and that there is somebody to train on and to test.

    Args:
        person: (N,) int: whose face it is, a place in ``names``; ``NOBODY`` for the unknown.
        names: (K,) distinct identities.
        split: (N,) train, probe, gallery or distractor.
        auxiliary: the names in the auxiliary set.

    Raises:
        BenchmarkError: an identity is both in test and in train or the auxiliary set, a probe has no mate in the
            gallery, a distractor has a name, another face has none, or one side of the split is empty.
    """
    members: dict[str, set[str | None]] = {}
    for part in PARTS:
        present = np.unique(person[split == part])
        members[part] = {None if number == NOBODY else names[number] for number in present.tolist()}
    test = members["probe"] | members["gallery"]
    _none_of(test & members["train"], "in both train and test")
    _none_of(test & set(auxiliary), "in both the auxiliary set and test")
    _none_of(members["probe"] ^ members["gallery"], "in only one of probe and gallery")
    _none_of(members["distractor"] - {None}, "named, yet among the distractors")
    if None in test | members["train"]:
        raise BenchmarkError("a face in train, probe or gallery has no identity", remedy="run split again")
    for part, people in (("train", members["train"]), ("test", test)):
        if not people:
            what = f"the benchmark has nobody to {part}: {len(members['train'])} identities train, {len(test)} test"
            remedy = "acquire more identities with at least two images each, or change split.train_fraction or the seed"
            raise BenchmarkError(what, where="split", remedy=remedy)


def _none_of(identities: set[str | None], fault: str) -> None:
    """Raises for identities that are where they must not be, naming the first ten."""
    if identities:
        names = sorted(str(identity) for identity in identities)
        listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
        what = f"{len(names)} identities are {fault}: {listed}"
        raise BenchmarkError(
            what, where="split", remedy="give each person one name, and name nobody in two collections"
        )


def _draw(seed: int, kind: str, name: str) -> float:
    """A number in 0..1 that depends on nothing but its arguments."""
    return int.from_bytes(_digest(seed, kind, name)[:8]) / 2**64


def _shuffled_place(face_ids: np.ndarray, person: np.ndarray, seed: int, kind: str) -> np.ndarray:
    """Each face's place (N,), from 0, among the shuffled faces of its identity."""
    order = np.lexsort((_hashes(face_ids, seed, kind), person))
    sorted_person = person[order]
    starts = np.flatnonzero(np.diff(sorted_person, prepend=NOBODY - 1))
    place = np.empty(len(person), dtype=np.int64)
    place[order] = np.arange(len(person)) - np.repeat(starts, np.diff(starts, append=len(person)))
    return place


def _hashes(names: np.ndarray, seed: int, kind: str) -> np.ndarray:
    """A hash (N,), uint64, of each name (N,), bytes, of the seed and of the kind of draw.

    A SHA-256 of each of some million names would take too long; eight bytes at a time go through the finaliser of
    SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014, figure 17).
    """
    width = -(-names.itemsize // 8) * 8
    words = names.astype(f"S{width}").view("<u8").reshape(len(names), width // 8)
    hashes = np.full(len(names), int.from_bytes(_digest(seed, kind, "")[:8]), dtype=np.uint64)
    for word in words.T:
        mixed = (hashes ^ word) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        hashes = np.where(word, mixed, hashes)  # a longer name beside this one pads it, and must not change its draw
    return hashes


def _digest(seed: int, kind: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{kind}:{name}".encode()).digest()
