"""What sections say in the same words: anchors, legends, definitions, and what is not resolvable."""

from collections import Counter
from typing import Any

from lrfr.report.results import TestSet

NAMES = {"map": "mAP", "map_official": "mAP, official", "tar": "TAR", "tpir": "TPIR", "fnir": "FNIR", "rank1": "rank-1"}


def anchor(name: str) -> str:
    """Where a test set's section stands in the page."""
    return f"set-{name}"


def legend(found: TestSet, styles: dict[str, str]) -> list[tuple[str, str]]:
    """The methods with their classes of the style sheet."""
    return [(method, styles[method]) for method in found.figures]


def reading(found: TestSet) -> str:
    """Which definitions the figures follow, as a sentence."""
    return definitions({method: figures.get("definitions", {}) for method, figures in found.figures.items()})


def definitions(used: dict[str, dict[str, str]]) -> str:
    """Each method's definitions, by what they define, as a sentence; methods that differ from most are named."""
    parts = []
    for name in dict.fromkeys(name for own in used.values() for name in own):
        said = {method: own[name] for method, own in used.items() if name in own}
        usual = Counter(said.values()).most_common(1)[0][0]
        others = ", ".join(f"{method}: {other}" for method, other in said.items() if other != usual)
        parts.append(f"{NAMES.get(name, name)}: {usual}" + (f" ({others})" if others else ""))
    return f"Definitions used: {'; '.join(parts)}."


def unresolved(*figures: dict[str, Any]) -> str:
    """What the impostors or the unmated probes do not resolve, as a sentence; empty where they resolve everything."""
    said = [str(line) for part in figures for line in part.get("not_resolvable", [])]
    return f"Left out: {'; '.join(said)}." if said else ""
