"""What sections say in the same words: presentations, anchors, legends, definitions, and what is not resolvable."""

from collections import Counter
from typing import Any

from lrfr.report.results import TestSet

AS_CROPPED = "as_cropped"  # the presentation of a model that takes faces as they are
MIDDLE = "middle_224"  # of one that takes 224 px out of 256 in their middle
METRICS = {"cosine": "cosine similarity", "euclidean": "Euclidean distance"}
NAMES = {"map": "mAP", "map_official": "mAP, official", "tar": "TAR", "tpir": "TPIR", "fnir": "FNIR", "rank1": "rank-1"}
GAINED = (
    "What weighting images by the predicted quality brings over images that all count alike, percentage points, with "
    "95 % bootstrap intervals over identities."
)


def presented(presentation: str) -> str:
    """How faces are presented to a model, in words."""
    if presentation == MIDDLE:
        return "the middle of faces as cropped"
    return "faces as cropped" if presentation == AS_CROPPED else f"aligned ({presentation})"


def anchor(name: str) -> str:
    """Where a test set's section stands in the page."""
    return f"set-{name}"


def legend(found: TestSet, styles: dict[str, str]) -> list[tuple[str, str]]:
    """The runs with their classes of the style sheet."""
    return [(run, styles[run]) for run in found.figures]


def reading(found: TestSet) -> str:
    """Which definitions the figures follow, as a sentence."""
    return definitions({run: figures.get("definitions", {}) for run, figures in found.figures.items()})


def definitions(used: dict[str, dict[str, str]]) -> str:
    """Each run's definitions, by what they define, as a sentence; runs that differ from most are named."""
    parts = []
    for name in dict.fromkeys(name for own in used.values() for name in own):
        said = {run: own[name] for run, own in used.items() if name in own}
        usual = Counter(said.values()).most_common(1)[0][0]
        others = ", ".join(f"{run}: {other}" for run, other in said.items() if other != usual)
        parts.append(f"{NAMES.get(name, name)}: {usual}" + (f" ({others})" if others else ""))
    return f"Definitions used: {'; '.join(parts)}."


def unresolved(*figures: dict[str, Any]) -> str:
    """What the impostors or the unmated probes do not resolve, as a sentence; empty where they resolve everything."""
    said = [str(line) for part in figures for line in part.get("not_resolvable", [])]
    return f"Left out: {'; '.join(said)}." if said else ""
