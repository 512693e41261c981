"""Which faces may enter the benchmark, and the reason why the others may not."""

from collections.abc import Mapping, Sequence

import numpy as np

from lrfr.core.verdicts import Outcome

# Why a face is excluded, in the order in which the rules are asked.
REASONS = (
    "empty",
    "not_image",
    "corrupt",
    "too_big",
    "too_small",
    "too_large",
    "leaked",
    "two_names",
    "duplicate",
    "not_face",
    "unrecognizable",
    "unverified",
    "disputed_name",
    "too_few_images",
)

MIN_SIDE = 4  # px; a smaller crop shows nothing

# What a face is for. Of several copies the one that comes first here is kept; tested faces always are.
TESTED, BENCHMARK, TRAIN, AUXILIARY, UNRECOGNIZABLE = range(5)


def size_reasons(width: np.ndarray, height: np.ndarray, max_side: int | None) -> np.ndarray:
    """Why the sizes of crops rule them out.

    Args:
        width: (N,) px.
        height: (N,) px.
        max_side: the longest side that is low resolution, px; None for faces that may be of any size.

    Returns:
        (N,) too_small, too_large or None.
    """
    reasons = np.full(len(width), None, dtype=object)
    if max_side is not None:
        reasons[np.maximum(width, height) > max_side] = "too_large"
    reasons[np.minimum(width, height) < MIN_SIDE] = "too_small"
    return reasons


def copy_reason(copy_use: int, first_use: int) -> str:
    """Why a copy is ruled out: ``leaked`` if one could train on what another is tested on, else ``duplicate``.

    Args:
        copy_use: what the copy is for: TESTED, BENCHMARK (still to be split), TRAIN, AUXILIARY or UNRECOGNIZABLE.
        first_use: what the face that it copies is for.
    """
    leaked = first_use == TESTED != copy_use or (first_use == BENCHMARK and copy_use > BENCHMARK)
    return "leaked" if leaked else "duplicate"


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
