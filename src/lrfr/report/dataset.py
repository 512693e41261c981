"""The benchmark's own statistics: CSRI's Tables 1 and 2 and its Fig. 4, with this run's faces in them."""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from lrfr.charts.histogram import histogram
from lrfr.report.published import BENCHMARKS, TINYFACE_PARTITION

PARTS = {"native": "The faces of the benchmark", "auxiliary": "Those of the auxiliary set"}


def obtained(detection: dict[str, Any]) -> list[str]:
    """How the faces of each part came to be crops, a sentence each, as far as there are any of a kind."""
    told = []
    for part, faces in PARTS.items():
        found, photos, came = (detection.get(kind, {}).get(part, 0) for kind in ("faces", "photos", "already_cut"))
        said = [f"MTCNN found {found:,} faces in {photos:,} photos"] if photos else []
        said += [f"{came:,} faces came cut and stay as they are"] if came else []
        told += [f"{faces}: {'; '.join(said)}."] if said else []
    return told


def by_whom(labellers: Iterable[str], simulated: Collection[str]) -> str:
    """What labellers are called, by their names and those of the simulated ones."""
    is_simulated = [name in simulated for name in labellers]
    if is_simulated and all(is_simulated):
        return "simulated labellers"
    return f"labellers, {sum(is_simulated)} of them simulated" if any(is_simulated) else "labellers"


def benchmark_rows(benchmark: pa.Table) -> list[tuple[str, str, str, str]]:
    """CSRI's Table 1 with this run's benchmark as the last row: name, mean height, identities, images."""
    height = float(np.mean(benchmark["height"].to_numpy()))
    ours = ("This run", f"{height:.1f}", f"{len(named(benchmark)):,}", f"{benchmark.num_rows:,}")
    return [*(tuple(row) for row in BENCHMARKS), ours]


def partition_rows(benchmark: pa.Table) -> list[tuple[str, list[str]]]:
    """CSRI's Table 2, this run's lines above TinyFace's: label, then all, train, probe, gallery, distractor."""
    identities = {split: len(named(benchmark, split)) for split in ("train", "probe", "gallery")}
    ours = [
        ("This run, identities", [len(named(benchmark)), *identities.values(), None]),
        ("This run, images", [benchmark.num_rows, *image_counts(benchmark).values()]),
    ]
    tinyface = [(f"TinyFace, {row.data}", list(row[1:])) for row in TINYFACE_PARTITION]
    return [
        (label, ["unknown" if number is None else f"{number:,}" for number in numbers])
        for label, numbers in [*ours, *tinyface]
    ]


def height_figure(heights: np.ndarray) -> Markup:
    """The histogram of face heights (N,), px: TinyFace's Fig. 4."""
    edges = np.arange(min(6, heights.min()), max(32, heights.max()) + 2) - 0.5
    counts, _ = np.histogram(heights, edges)
    mean = float(heights.mean())
    alt = f"Histogram of {len(heights):,} face heights: {heights.min()} to {heights.max()} px, mean {mean:.1f} px."
    return histogram(edges, counts, (mean, f"mean {mean:.1f} px"), ("face height, px", "faces"), alt)


def image_counts(benchmark: pa.Table) -> dict[str, int]:
    """The number of faces in each split."""
    splits = np.array(benchmark["split"].to_pylist())
    return {split: int((splits == split).sum()) for split in ("train", "probe", "gallery", "distractor")}


def named(table: pa.Table, split: str | None = None) -> set[str]:
    """The identities, of all faces or of those in one split."""
    rows = table if split is None else table.filter(pc.field("split") == split)
    return set(rows["identity"].to_pylist()) - {None}
