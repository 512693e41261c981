"""Is a learned synthesiser nearer to native faces than one that was computed? A table over seeds, for `claims.py`.

Each seed has synthesisers of its own, and an expert of its own whose embeddings tell how far their faces lie from the
native training faces: what the stage ``drift`` writes. An interval is of one seed's faces, by bootstrap.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from lrfr import paths

DISTANCES = {"frechet": "Fréchet distance", "mmd": "kernel MMD", "auc": "AUC of a classifier"}


def read(folder: Path, synthesizer: str) -> dict:
    """How far the faces of one synthesiser are from native ones, in a seed's folder, by embeddings."""
    return json.loads((folder / paths.drift_result(synthesizer)).read_text())["summary"]["embeddings"]


def table(synthesizers: Sequence[str], than: str, folders: Mapping[int, Path]) -> None:
    """Prints each synthesiser's distances by seed, and in how many seeds it is nearer than ``than``.

    Args:
        synthesizers: those that are told of, ``than`` among them.
        than: the one that the others are compared with.
        folders: of the seeds.
    """
    seeds = " | ".join(f"seed {seed}" for seed in folders)
    print(f"\n| synthesiser | distance to native | {seeds} | nearer than {than} |")
    print(f"|---|---|{'---|' * len(folders)}---|")
    for name in synthesizers:
        told, reference = ([read(folder, one) for folder in folders.values()] for one in (name, than))
        for distance, title in DISTANCES.items():
            cells = " | ".join(_with_interval(of, distance) for of in told)
            verdict = "" if name == than else _verdict(told, reference, distance)
            print(f"| {name} | {title} | {cells} | {verdict} |")


def _with_interval(told: dict, distance: str) -> str:
    low, high = told[f"{distance}_interval"]
    return f"{told[distance]:.3f} ({low:.3f} to {high:.3f})"


def _verdict(told: Sequence[dict], reference: Sequence[dict], distance: str) -> str:
    pairs, interval = list(zip(told, reference, strict=True)), f"{distance}_interval"
    nearer = sum(a[distance] < b[distance] for a, b in pairs)
    apart = sum(a[interval][1] < b[interval][0] for a, b in pairs)
    return f"in {nearer} of {len(pairs)}; by intervals that are apart in {apart}"
