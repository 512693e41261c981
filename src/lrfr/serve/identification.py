"""Who is on a photo: every face, with a name or "don't know"."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfr.galleries.gallery import Answer, Gallery
from lrfr.release.calibration import Threshold
from lrfr.serve.detection import FoundFace, find_faces
from lrfr.serve.model import Model

DONT_KNOW = "don't know"


@dataclass(frozen=True)
class IdentifiedFace:
    """A face of a photo and who it is; ``quality`` is None where the model gives none."""

    found: FoundFace
    answer: Answer
    quality: float | None
    aligned: bool


@dataclass(frozen=True)
class Identified:
    """The faces of a photo from left to right, and the threshold by which they were told."""

    faces: list[IdentifiedFace]
    threshold: Threshold


def identify(
    model: Model, gallery: Gallery, photo: np.ndarray, fpir: float, least_quality: float | None = None
) -> Identified:
    """Who is on a photo (H, W, 3), RGB, uint8; faces below the ``least_quality`` are nobody's.

    Raises:
        CalibrationError: the release's calibration does not resolve the FPIR for so many people, or its model has no
            such quality.
    """
    threshold = gallery.threshold(fpir, least_quality)
    found = find_faces(photo, model.detector)
    if not found:
        return Identified([], threshold)
    seen = model.see([face.pixels for face in found])
    answers = gallery.identify(seen.embedding, fpir, seen.quality, least_quality)
    quality = [None] * len(found) if seen.quality is None else seen.quality.tolist()
    faces = zip(found, answers, quality, seen.aligned.tolist(), strict=True)
    return Identified([IdentifiedFace(*face) for face in faces], threshold)


def as_json(photo: str, identified: Identified) -> dict[str, Any]:
    """The same for programs: boxes in px of the photo, scores, rates 0..1."""
    threshold = identified.threshold
    return {
        "photo": photo,
        "faces": [
            {
                "box": list(face.found.box),
                "confidence": round(face.found.confidence, 4),
                "name": face.answer.name,
                "reason": face.answer.reason,
                "score": round(face.answer.score, 6),
                "quality": face.quality,
                "aligned": face.aligned,
                "nearest": [{"name": name, "score": round(score, 6)} for name, score in face.answer.nearest],
            }
            for face in identified.faces
        ],
        "threshold": {
            "score": round(threshold.score, 6),
            "fpir": threshold.fpir,
            "interval": [round(end, 6) for end in threshold.interval],
            "people": threshold.people,
            "measured": threshold.measured,
            "least_quality": threshold.least_quality,
        },
    }


def as_text(photo: str, identified: Identified) -> str:
    """The same for people."""
    count = len(identified.faces)
    lines = [f"{photo}: {'no face was found' if not count else '1 face' if count == 1 else f'{count} faces'}"]
    for face in identified.faces:
        left, top, width, height = face.found.box
        near = "" if face.answer.name else f", most like {face.answer.nearest[0][0]}"
        poor = " is too low" if face.answer.reason == "quality" else ""
        quality = "" if face.quality is None else f", quality {face.quality:.3g}{poor}"
        who = face.answer.name or DONT_KNOW
        lines.append(f"  {who}  (score {face.answer.score:.3f}{near}{quality}; {width} x {height} px at {left}, {top})")
    return "\n".join(lines)


def told_threshold(threshold: Threshold) -> str:
    """By what is told who is known, for people."""
    low, high = threshold.interval
    text = (
        f"{threshold.people:,} people; a score of {threshold.score:.3f} or more is a match: of strangers, "
        f"{threshold.fpir:.2%} are taken for somebody (95 %: {low:.2%} to {high:.2%})"
    )
    if threshold.least_quality is not None:
        text += f", of those whose quality is {threshold.least_quality:g} or more; a face below is nobody's"
    return text if threshold.measured else f"{text}; for so many people by the rule, not measured"
