"""Galleries: seconds per photo, memory and file size; from 100,000 people on, the index against the exact search.

    python benchmarks/gallery.py [PEOPLE ...]

prints a Markdown table; without PEOPLE for 100, 10,000, 100,000 and a million. Each size runs in a process of its own,
whose peak of memory it is. People are drawn as unit vectors of 128 numbers around 1,000 centres, one face each, as
faces of one kind lie together; a probe is a person's vector with noise, so that its cosine with it is about 0.7. "One
face" is one search, as of a photo of one person, the median of 50; recall is the share of 1,000 probes whose best
person by the index is the best by the exact search, and of their five nearest. The load of the machine is printed, so
that a busy one is told.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from lrfr.galleries import gallery as galleries
from lrfr.galleries.changes import enrol, forget
from lrfr.galleries.file import Enrolled, GalleryFile, Origin, schema, write
from lrfr.galleries.gallery import Gallery
from lrfr.galleries.search import nearest, open_index

WIDTH, CENTRES, NOISE, PROBES = 128, 1000, 1.0, 1000
SIZES = (100, 10_000, 100_000, 1_000_000)
PICTURE = 1500  # bytes of a tiny face as PNG
ORIGIN = Origin("0" * 64, "cosine", WIDTH, "benchmark@v0.0.0")
PART = 16_384
COMPARED = 100_000  # people from whom on the index is measured too; a gallery has it from a million on
COLUMNS = ("people", "file", "opened in", "one face", "64 faces", "enrol one", "forget one", "peak", "index made in",
           "its file", "one face by it", "recall of the best, of five")  # fmt: skip


def main() -> None:
    """Measures each size in a process of its own."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return
    print(f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, load before: {os.getloadavg()[0]:.1f}\n")
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    for people in [int(given) for given in sys.argv[1:]] or SIZES:
        command = [sys.executable, __file__, "--measure", str(people)]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print("| " + " | ".join(told) + " |", flush=True)
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


def drawn(people: int) -> np.ndarray:
    """Unit vectors (people, WIDTH), float32."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((CENTRES, WIDTH), dtype=np.float32)[rng.integers(CENTRES, size=people)]
    rows += rng.standard_normal((people, WIDTH), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def written(path: Path, rows: np.ndarray) -> None:
    """Writes a gallery of one face each, a part at a time."""

    def parts():
        for start in range(0, len(rows), PART):
            part = rows[start : start + PART]
            names = [f"person {start + number:07d}" for number in range(len(part))]
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), WIDTH)
            drawn_bytes = os.urandom(PICTURE * len(part))
            pictures = [drawn_bytes[at : at + PICTURE] for at in range(0, len(drawn_bytes), PICTURE)]
            columns = [
                pa.array(names),
                pa.array(names),
                vectors,
                pa.nulls(len(part), pa.float32()),
                pa.array(pictures, pa.large_binary()),
            ]
            yield pa.table(columns, schema=schema(ORIGIN))

    write(path, ORIGIN, parts())


def measure(people: int) -> list[str]:
    """The cells of one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "people.gallery")
        rows = drawn(people)
        rng = np.random.default_rng(1)
        wanted = rng.integers(people, size=PROBES)
        probe = rows[wanted] + NOISE * rng.standard_normal((PROBES, WIDTH), dtype=np.float32) / np.sqrt(WIDTH)
        written(path, rows)
        size = path.stat().st_size
        galleries.INDEXED = 10**12  # the exact search first
        opened, gallery = timed(lambda: Gallery(path, Known()))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        template = gallery._template
        one = np.median([timed(lambda row=row: nearest(probe[row : row + 1], template, "cosine", 5))[0]
                         for row in range(50)])  # fmt: skip
        many, _ = timed(lambda: nearest(probe[:64], template, "cosine", 5))
        told = [f"{people:,}", f"{size / 1e6:,.1f} MB", f"{opened:.2f} s", f"{1000 * one:.1f} ms", f"{many:.2f} s"]
        face = Enrolled("somebody", "new", rows[0], None, bytes(PICTURE))
        told.append(f"{timed(lambda: enrol(path, ORIGIN, [face], False))[0]:.2f} s")
        told.append(f"{timed(lambda: forget(path, ORIGIN, 'somebody'))[0]:.2f} s")
        told.append(f"{peak:,.0f} MB")
        if people < COMPARED:
            return [*told, "", "", "", ""]
        place = GalleryFile(path, ORIGIN).index()
        made, index = timed(lambda: open_index(place, template, "cosine"))
        by_index = np.median([timed(lambda row=row: nearest(probe[row : row + 1], template, "cosine", 5, index))[0]
                              for row in range(50)])  # fmt: skip
        exact, _ = nearest(probe, template, "cosine", 5)
        found, _ = nearest(probe, template, "cosine", 5, index)
        best = (exact[:, 0] == found[:, 0]).mean()
        five = np.mean([len(set(a) & set(b)) / 5 for a, b in zip(exact.tolist(), found.tolist(), strict=True)])
        return [*told, f"{made:,.0f} s", f"{place.stat().st_size / 1e6:,.0f} MB", f"{1000 * by_index:.1f} ms",
                f"{best:.3f}, {five:.3f}"]  # fmt: skip


class Known:
    """A model that embeds nothing."""

    origin = ORIGIN


def timed(do):
    """Seconds, and what it returned."""
    start = time.perf_counter()
    returned = do()
    return time.perf_counter() - start, returned


if __name__ == "__main__":
    main()
