"""The split of the benchmark: identity-disjoint halves, probe and gallery, distractors.

Every choice is a hash of the seed and of what it is about, so that no identity changes side, and no image its place
among train and test, when others are added.
"""

import hashlib
from collections.abc import Iterable, Sequence

from lrfr.errors import BenchmarkError


def assign(face_ids: Sequence[str], identities: Sequence[str | None], train_fraction: float, seed: int) -> list[str]:
    """Assigns native faces to train, probe, gallery or distractor, as TinyFace does.

    An identity is tested only if it has two images, one to look for and one to find; one with a single image trains,
    whatever its draw, for its name is known and it must not stand among the unknown. Of a test identity's images half
    are probes, half gallery, an odd one gallery. A face without an identity is a distractor.

    Args:
        face_ids: (N,) unique ids.
        identities: (N,) names; None for a face that nobody could name.
        train_fraction: the expected share (0..1) of identities that train.
        seed: draws the sides.

    Returns:
        (N,) train, probe, gallery or distractor.
    """
    faces_of: dict[str, list[str]] = {}
    for face, identity in zip(face_ids, identities, strict=True):
        if identity is not None:
            faces_of.setdefault(identity, []).append(face)
    split = dict.fromkeys(face_ids, "distractor")
    for identity, faces in faces_of.items():
        if len(faces) < 2 or _draw(seed, "identity", identity) < train_fraction:
            split |= dict.fromkeys(faces, "train")
            continue
        shuffled = sorted(faces, key=lambda face: (_draw(seed, "image", face), face))
        probes = len(faces) // 2
        split |= dict.fromkeys(shuffled[:probes], "probe") | dict.fromkeys(shuffled[probes:], "gallery")
    return [split[face] for face in face_ids]


def hold_out(face_ids: Sequence[str], identities: Sequence[str], seed: int) -> list[str]:
    """Holds about one image in ten of each identity out for validation, at least one where there are five.

    Args:
        face_ids: (N,) unique ids of auxiliary faces.
        identities: (N,) their names.
        seed: draws the images.

    Returns:
        (N,) train or validation.
    """
    faces_of: dict[str, list[str]] = {}
    for face, identity in zip(face_ids, identities, strict=True):
        faces_of.setdefault(identity, []).append(face)
    held_out: set[str] = set()
    for faces in faces_of.values():
        shuffled = sorted(faces, key=lambda face: (_draw(seed, "validation", face), face))
        held_out |= set(shuffled[: max(round(len(faces) / 10), 1) if len(faces) >= 5 else 0])
    return ["validation" if face in held_out else "train" for face in face_ids]


def check(identities: Sequence[str | None], split: Sequence[str], auxiliary: Iterable[str]) -> None:
    """Proves that nobody who is tested was trained on, and that there is somebody to train on and to test.

    Args:
        identities: (N,) names of the benchmark's faces; None for the unknown.
        split: (N,) train, probe, gallery or distractor.
        auxiliary: the names in the auxiliary set.

    Raises:
        BenchmarkError: an identity is both in test and in train or the auxiliary set, a probe has no mate in the
            gallery, a distractor has a name, another face has none, or one side of the split is empty.
    """
    members: dict[str, set[str | None]] = {part: set() for part in ("train", "probe", "gallery", "distractor")}
    for identity, part in zip(identities, split, strict=True):
        members[part].add(identity)
    test = members["probe"] | members["gallery"]
    _none_of(test & members["train"], "in both train and test")
    _none_of(test & set(auxiliary), "in both the auxiliary set and test")
    _none_of(members["probe"] ^ members["gallery"], "in only one of probe and gallery")
    _none_of(members["distractor"] - {None}, "named, yet among the distractors")
    if None in test | members["train"]:
        raise BenchmarkError("a face in train, probe or gallery has no identity", remedy="run split again")
    for part, names in (("train", members["train"]), ("test", test)):
        if not names:
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
    digest = hashlib.sha256(f"{seed}:{kind}:{name}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
