"""Shows that drift cries no wolf, and what it costs on 170,000 faces.

    python benchmarks/drift.py wolf               # in a project's root, after make repro
    python benchmarks/drift.py size FOLDER        # FOLDER is new, and is removed afterwards

wolf: the native training faces of the benchmark, with the embeddings of the first backbone, are split into random
halves 200 times; nothing differs between halves but chance. It counts the splits of which `lrfr drift --reference A
--current B` would say that they drifted, at the level of 5 %, all parts together.

size: two tables of faces of 10 to 32 px, of 17,000 and 170,000 faces together, are compared whole, by statistics of
every face; prints the time and the peak memory of this process and of the largest of those that it starts.
"""

import argparse
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from lrfr import faces, paths
from lrfr.config import read_params
from lrfr.core.embedding_gap import gaussian_kernel, kernel_p_value
from lrfr.faces import write_face_rows
from lrfr.quality.arrivals import compare_faces
from lrfr.quality.face_sample import sample_faces, statistics_of
from lrfr.quality.gap import LEVEL, compare_columns
from lrfr.quality.limits import Drift

SPLITS, DISTINCT = 200, 2000


def wolf() -> None:
    """Counts false alarms."""
    from lrfr.quality.embedded import embed_sample, read_for_comparison

    backbone = read_params().read("drift", Drift).backbone
    drawn = sample_faces(paths.BENCHMARK, {"train"}, 10**6, 0)
    columns = statistics_of(drawn, with_confidence=True)
    embedding = embed_sample(read_for_comparison(paths.pretrained(backbone)), drawn).embedding
    tests, alarms, by_part = len(columns) + 1, 0, dict.fromkeys([*columns, "embeddings"], 0)
    for split in range(SPLITS):
        order = np.random.default_rng(split).permutation(len(drawn))
        left, right = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
        halves = ({name: values[rows] for name, values in columns.items()} for rows in (left, right))
        found = {name: of["drifted"] for name, of in compare_columns(*halves, tests).items()}
        kernel = gaussian_kernel(embedding[left], embedding[right])
        found["embeddings"] = kernel_p_value(kernel, len(left), split) <= LEVEL / tests
        alarms += any(found.values())
        by_part = {name: count + found.get(name, False) for name, count in by_part.items()}
    print(f"{len(drawn):,} faces, {SPLITS} random splits: {alarms} drifted ({alarms / SPLITS:.1%})")
    print({name: count for name, count in by_part.items() if count})


def size(folder: Path) -> None:
    """Measures time and memory."""
    print("| faces | s | faces/s | peak of this process, MB | of the largest other, MB |\n|---|---|---|---|---|")
    for count in (17_000, 170_000):
        for number, name in enumerate(("reference", "current")):
            write_face_rows(_rows(count // 2, number), folder / f"{name}.parquet")
        start = perf_counter()
        found = compare_faces(folder / "reference.parquet", folder / "current.parquet", sample=10**7, seed=0)
        taken = perf_counter() - start
        processes = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
        own, others = (resource.getrusage(who).ru_maxrss / 1024 for who in processes)
        assert sum(found["faces"].values()) == count
        print(f"| {count:,} | {taken:.0f} | {count / taken:,.0f} | {own:.0f} | {others:.0f} |", flush=True)


def _rows(count: int, number: int) -> Iterator[dict]:
    """Faces of a table; the same pictures come again under other ids."""
    rng = np.random.default_rng(number)
    pictures = []
    for _ in range(DISTINCT):
        height = int(rng.integers(10, 33))
        blobs = cv2.resize(
            rng.uniform(40, 210, (5, 5, 3)), (round(0.8 * height), height), interpolation=cv2.INTER_CUBIC
        )
        image = np.clip(blobs + rng.normal(0, 4, blobs.shape), 0, 255).astype(np.uint8)
        pictures.append((faces.encode_png(image), image.shape))
    for row in range(count):
        encoded, (height, width, _) = pictures[row % DISTINCT]
        yield {"face_id": f"{number}{row:019}", "source": "made", "image": encoded, "width": width, "height": height,
               "score": float(rng.uniform(0.7, 1)), "attributes": []}  # fmt: skip


def main() -> None:
    """Runs one of both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["wolf", "size"])
    parser.add_argument("folder", type=Path, nargs="?")
    given = parser.parse_args()
    if given.what == "wolf":
        wolf()
        return
    if given.folder is None:
        parser.error("size needs a folder that is not there yet")
    given.folder.mkdir(parents=True)
    try:
        size(given.folder)
    finally:
        shutil.rmtree(given.folder)


if __name__ == "__main__":
    main()
