"""Simulated labellers, who verify generated faces as people would: with errors, doubts and disagreements."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from lrfr.core.boxes import match
from lrfr.core.detection import TRUTH_OVERLAP
from lrfr.core.verdicts import ADJUDICATED, Verdict, latest
from lrfr.curation import Labeller

START = datetime(2024, 1, 8, 9, 0, tzinfo=UTC)
SECONDS_PER_FACE = 2

Row = dict[str, Any]

# What is mistaken for what, most plausible first; the first is three times as likely as the second.
MISTAKEN_FOR = {
    "face": ("unrecognizable", "not_face"),
    "unrecognizable": ("face", "not_face"),
    "not_face": ("unrecognizable", "face"),
}


def true_verdicts(faces: pa.Table, truth: pa.Table) -> dict[str, str]:
    """The verdict that is right for each face that was cut from a photo, by face_id.

    Args:
        faces: detections, rows of a face table.
        truth: who is where for certain, in ``TRUTH_SCHEMA``.

    Returns:
        face, unrecognizable, or not_face for a detection where nobody is.
    """
    true: dict[str, list[Row]] = {}
    for row in truth.to_pylist():
        true.setdefault(row["photo_id"], []).append(row)
    detected: dict[str, list[Row]] = {}
    for row in faces.select(["face_id", "photo_id", "box"]).to_pylist():
        if row["box"] is not None:
            detected.setdefault(row["photo_id"], []).append(row)
    verdicts = {}
    for photo, found in detected.items():
        people = true.get(photo, [])
        pairs = dict(match([row["box"] for row in found], [row["box"] for row in people], TRUTH_OVERLAP))
        for index, row in enumerate(found):
            seen = "face" if index in pairs and people[pairs[index]]["recognizable"] else "unrecognizable"
            verdicts[row["face_id"]] = seen if index in pairs else "not_face"
    return verdicts


def simulate(truth: Mapping[str, str], labellers: Mapping[str, Labeller], seed: int) -> dict[str, list[Verdict]]:
    """Lets labellers judge faces, and an expert settle what they disagree on or are unsure of.

    Args:
        truth: the true verdict (face, not_face, unrecognizable) by face_id.
        labellers: how often each errs and doubts, by name.
        seed: a labeller's verdict on a face depends on this, the two of them and nothing else.

    Returns:
        The lines of each manifest, by its name; the expert's is ``_adjudicated``.
    """
    faces = sorted(truth)
    manifests = {
        name: [
            _line(face, _opinion(face, truth[face], name, habits, seed), name, name, index)
            for index, face in enumerate(faces)
        ]
        for name, habits in sorted(labellers.items())
    }
    said: dict[str, set[str]] = {}
    for (face, _), verdict in latest(line for lines in manifests.values() for line in lines).items():
        said.setdefault(face, set()).add(verdict.verdict)
    disputed = [face for face in faces if len(said[face]) > 1 or "unsure" in said[face]]
    shift = len(faces)  # the expert comes when the labellers are done
    manifests[ADJUDICATED] = [
        _line(face, truth[face], "expert", ADJUDICATED, index, shift) for index, face in enumerate(disputed)
    ]
    return manifests


def _line(face: str, verdict: str, labeller: str, manifest: str, index: int, shift: int = 0) -> Verdict:
    at = START + timedelta(seconds=SECONDS_PER_FACE * (index + shift))
    return Verdict(face, verdict, labeller, at, "simulated", manifest, index + 2)


def _opinion(face: str, truth: str, name: str, habits: Labeller, seed: int) -> str:
    """What a labeller says of a face."""
    digest = hashlib.sha256(f"{seed}:{name}:{face}".encode()).digest()
    mood, slip = (int.from_bytes(digest[start : start + 8]) / 2**64 for start in (0, 8))
    if mood < habits.unsure_rate:
        return "unsure"
    if mood < habits.unsure_rate + habits.error_rate:
        return MISTAKEN_FOR[truth][0 if slip < 0.75 else 1]
    return truth
