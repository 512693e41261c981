"""What sections say in the same words: anchors, legends, definitions, and what is not resolvable."""

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
    return definitions(next(iter(found.figures.values())).get("definitions", {}))


def definitions(used: dict[str, str]) -> str:
    """Definitions by what they define, as a sentence."""
    return "Definitions used: " + "; ".join(f"{NAMES.get(name, name)}: {said}" for name, said in used.items()) + "."


def unresolved(*figures: dict[str, Any]) -> str:
    """What the impostors or the unmated probes do not resolve, as a sentence; empty where they resolve everything."""
    said = [str(line) for part in figures for line in part.get("not_resolvable", [])]
    return f"Left out: {'; '.join(said)}." if said else ""
