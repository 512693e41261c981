"""Which faces may enter the benchmark, and the reason why the others may not."""

from collections.abc import Mapping, Sequence

import numpy as np

from lrfr.core.verdicts import Outcome

# Why a face is set aside, in the order in which the rules are asked.
REASONS = ("corrupt", "too_large", "leaked", "duplicate", "not_face", "unrecognizable", "unverified", "too_few_images")

MIN_SIDE = 4  # px; a smaller crop shows nothing
# Measured on LFW's faces at 10 to 32 px: recompressed as JPEG at quality 70 or enlarged twofold, 99 % of the copies are
# found; among 98,000 pairs of different pictures the least difference is 12.
HASH_BITS = 10  # perceptual hashes of 64 bits that differ in no more are looked at closer
THUMBNAIL = 16  # px; two faces are compared pixel by pixel at this size
SAME_PICTURE = 6.0  # mean absolute difference of thumbnails, 0..255, up to which two crops show the same picture


def size_reason(width: int, height: int, max_side: int | None) -> str | None:
    """Why a crop's size rules it out; ``max_side`` (px) is None for faces that may be of any size."""
    if min(width, height) < MIN_SIDE:
        return "corrupt"
    return "too_large" if max_side is not None and max(width, height) > max_side else None


def find_copies(hashes: np.ndarray, thumbnails: np.ndarray) -> dict[int, int]:
    """Finds the crops that show the same picture as an earlier one, re-encoded or resized or not.

    Args:
        hashes: (N,) perceptual hashes, uint64: those of near copies differ in few bits.
        thumbnails: (N, THUMBNAIL, THUMBNAIL, 3) RGB, 0..255; they decide.

    Returns:
        The index of the first crop that each copy shows, by the copy's index.
    """
    copies: dict[int, int] = {}
    for later in range(1, len(hashes)):
        near = np.nonzero(np.bitwise_count(hashes[:later] ^ hashes[later]) <= HASH_BITS)[0]
        difference = np.abs(thumbnails[near].astype(float) - thumbnails[later]).mean(axis=(1, 2, 3))
        for earlier in near[difference <= SAME_PICTURE]:
            if earlier not in copies:  # a copy of a copy is compared with what is kept, lest chains drift
                copies[later] = int(earlier)
                break
    return copies


def verdict_reasons(face_ids: Sequence[str], outcomes: Mapping[str, Outcome], keep_unverified: bool) -> dict[str, str]:
    """Why verdicts, or the lack of them, rule faces out.

    Args:
        face_ids: the faces to judge.
        outcomes: what the verdicts came to, by face_id.
        keep_unverified: whether a face without any verdict stays; one that labellers left undecided never does.

    Returns:
        not_face, unrecognizable or unverified, by face_id, for the faces that are ruled out.
    """
    reasons = {}
    for face_id in face_ids:
        verdict = "face" if keep_unverified else "unverified"
        if face_id in outcomes:
            verdict = outcomes[face_id].verdict or "unverified"
        if verdict != "face":
            reasons[face_id] = verdict
    return reasons
