"""Copies among the faces of several tables: what pictures show, compared, and what follows from it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from lrfr.core import perceptual_hash
from lrfr.core.curation import TESTED, copy_reason
from lrfr.core.duplicates import SAME_PICTURE, THUMBNAIL, Copy, find_copies
from lrfr.core.pair_verdicts import Pair
from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.images import Images
from lrfr.parallel import cores, map_in_order
from lrfr.progress import track

BLOCK = 64  # images that a thread takes at a time
COMPARED = ("face_id", "source", "identity", "split", "use", "test_set")
OTHER_IDENTITY = "other_identity"

Row = dict[str, Any]


@dataclass(frozen=True)
class Fingerprints:
    """What is compared of (N,) pictures.

    Attributes:
        fault: why a picture cannot be read, as :class:`~lrfr.errors.ImageError` has it; None for those that can.
        digest: uint64, equal where all pixels are.
        hash: uint64, perceptual.
        thumbnail: (N, THUMBNAIL, THUMBNAIL, 3) uint8.
    """

    fault: np.ndarray
    digest: np.ndarray
    hash: np.ndarray
    thumbnail: np.ndarray


def fingerprints(images: Sequence[Images]) -> Fingerprints:
    """Decodes the images (N,) of several tables, one after the other, on every core; what can be read of an unreadable
    one stays zero."""
    blocks = chain.from_iterable(part.batches(BLOCK) for part in images)
    count = sum(-(-len(part) // BLOCK) for part in images)
    with ThreadPoolExecutor(cores()) as pool:
        done = map_in_order(pool, _fingerprints, blocks, cores())
        parts = [_fingerprints([]), *track(done, "comparing faces", count, "block")]
    return Fingerprints(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _fingerprints(images: list[bytes]) -> tuple[np.ndarray, ...]:
    """The columns of :class:`Fingerprints` for one block."""
    fault = np.full(len(images), None, dtype=object)
    digest = np.zeros(len(images), np.uint64)
    frequencies = np.zeros((len(images), perceptual_hash.KEPT**2))
    thumbnail = np.zeros((len(images), THUMBNAIL, THUMBNAIL, 3), np.uint8)
    for row, image in enumerate(images):
        try:
            pixels = decode(image)
        except ImageError as error:
            fault[row] = error.reason
            continue
        content = blake2b(repr(pixels.shape).encode() + pixels.tobytes(), digest_size=8).digest()
        digest[row] = int.from_bytes(content)
        frequencies[row] = perceptual_hash.low_frequencies(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        thumbnail[row] = cv2.resize(pixels, thumbnail.shape[1:3], interpolation=cv2.INTER_AREA)
    return fault, digest, perceptual_hash.hashes(frequencies), thumbnail


def find(
    faces: pa.Table,
    images: Sequence[Images],
    near_copies: float = SAME_PICTURE,
    judged: Mapping[Pair, bool] | None = None,
) -> list[Row]:
    """Finds unreadable faces and copies.

    Of several copies the one stays whose ``use`` comes first, then one with a name before one without, then the first
    ``face_id``. If their source gives them two names, one of them is wrong and nobody knows which: none stays. Tested
    faces stay whatever they copy, and what copies them goes.

    Args:
        faces: the columns ``COMPARED``; ``use`` is one of :data:`lrfr.core.curation.TESTED` and the others,
            ``test_set`` the name of the imported set that a face belongs to, or null.
        images: theirs, in their order, table by table.
        near_copies: mean absolute difference of thumbnails, 0..255, up to which two faces show the same picture.
        judged: pairs of faces of which people know whether they do.

    Returns:
        Rows of ``FINDING_SCHEMA`` about the faces that are not imported; of two on a face the first tells why it goes.
    """
    seen = fingerprints(images)
    known = faces.select(list(COMPARED))
    keyed = known.append_column("nameless", known["identity"].is_null())
    keyed = keyed.append_column("row", pa.array(np.arange(len(faces))))
    keys = ("use", "nameless", "face_id", "source", "test_set")
    order = keyed.sort_by([(key, "ascending") for key in keys])["row"].to_numpy()
    rows = known.to_pylist()
    faulty = [index for index in order if seen.fault[index] and not rows[index]["test_set"]]
    findings = [finding(rows[index], seen.fault[index]) for index in faulty]
    readable = order[~seen.fault[order].astype(bool)]
    stays = known["use"].to_numpy()[readable] == TESTED
    groups: dict[int, list[Copy]] = {}
    known_pairs = _places(judged or {}, [rows[index]["face_id"] for index in readable])
    pictures = (seen.digest[readable], seen.hash[readable], seen.thumbnail[readable])
    for copy in find_copies(*pictures, stays, near_copies, known_pairs):
        groups.setdefault(copy.first, []).append(copy)
    for first, group in groups.items():
        findings += _judged(rows[readable[first]], [(rows[readable[copy.copy]], copy) for copy in group])
    return findings


def _places(judged: Mapping[Pair, bool], face_ids: Sequence[str]) -> dict[tuple[int, int], bool]:
    """What people know of pairs, by the faces' places, the later one first; pairs that are not there are left out."""
    place = {face_id: index for index, face_id in enumerate(face_ids)} if judged else {}
    there = {pair: is_copy for pair, is_copy in judged.items() if place.keys() >= set(pair)}
    ordered = {tuple(sorted((place[first], place[second]))): is_copy for (first, second), is_copy in there.items()}
    return {(later, earlier): is_copy for (earlier, later), is_copy in ordered.items()}


def finding(row: Row, reason: str) -> Row:
    """A row of ``FINDING_SCHEMA``; nothing is excluded of what is published to be tested."""
    return {"face_id": row["face_id"], "reason": reason, "excluded": row["use"] != TESTED}


def _judged(first: Row, copies: list[tuple[Row, Copy]]) -> list[Row]:
    """What follows for a face and its copies."""
    names: dict[str, set[str]] = {}
    for row in (first, *(row for row, _ in copies)):
        names.setdefault(row["source"], set()).update({row["identity"]} - {None})
    none_stays = first["use"] != TESTED and any(len(of_source) > 1 for of_source in names.values())
    findings = [_copied(row, first, copy, none_stays) for row, copy in copies if not row["test_set"]]
    if none_stays:
        other, copy = next(((row, copy) for row, copy in copies if _across(row, first) == OTHER_IDENTITY), copies[0])
        findings.append(_copied(first, other, copy, none_stays))
    return findings


def _copied(row: Row, of: Row, copy: Copy, none_stays: bool) -> Row:
    """The finding that a face is a copy of another one."""
    reason, across = copy_reason(row["use"], of["use"]), _across(row, of)
    if none_stays or (row["use"] == of["use"] == TESTED and across == OTHER_IDENTITY):
        reason = "two_names"
    return finding(row, reason) | {
        "copy_of": of["face_id"],
        "test_set": of["test_set"],
        "kind": "exact" if copy.is_exact else "near",
        "similarity": 1 - copy.difference / 255,
        "across": "leak" if reason == "leaked" else across,
    }


def _across(row: Row, of: Row) -> str:
    """What two copies lie across; names are compared within a source, for each names its people in its own way."""
    comparable = row["source"] == of["source"] and row["identity"] and of["identity"]
    if comparable and row["identity"] != of["identity"]:
        return OTHER_IDENTITY
    if row["split"] and of["split"] and row["split"] != of["split"]:
        return "other_split"
    return "same_identity" if comparable else "unnamed"
