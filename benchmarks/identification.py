"""Identification at published sizes: time and memory, against the bare matrix product and the usual public way.

    python benchmarks/identification.py

prints a Markdown table. Every measurement runs in a process of its own, so that its peak of memory is its own; "above
the inputs" is what the peak has above the process with its inputs loaded. Embeddings are drawn at random around one
centre per identity, so that about half of the probes are found at rank 1.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WIDTH = 512
TINYFACE = {"probe": 3728, "gallery": 4443, "distractor": 153_428, "people": 2569}
IJBC = {"probe": 19_593, "gallery": 3531, "distractor": 0, "people": 3531}
MILLION = (250_000, 500_000, 1_000_000)
NOISE = 2.2  # a face's distance from its identity's centre, in units of the centres' spread


def main() -> None:
    """Measures everything, or with ``--measure`` one thing in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", nargs=2, metavar=("NAME", "FOLDER"), help="one measurement, printed as JSON")
    chosen = parser.parse_args().measure
    if chosen:
        print(json.dumps(MEASUREMENTS[chosen[0]](Path(chosen[1]))))
        return
    print("| what | time | of the product | peak above the inputs | figures |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in MEASUREMENTS:
            command = [sys.executable, __file__, "--measure", name, folder]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            for what, seconds, share, megabytes, figures in found:
                ratio = "" if share is None else f"{share:.2f}"
                print(f"| {what} | {seconds:.2f} s | {ratio} | {megabytes:.0f} MB | {figures} |", flush=True)


def draw(folder: Path, name: str, probe: int, gallery: int, distractor: int, people: int) -> None:
    """Writes probes and a gallery whose first rows are the named ones, piece by piece."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((people, WIDTH), dtype=np.float32)
    identity = {"probe": np.resize(np.arange(people), probe), "gallery": np.resize(np.arange(people), gallery)}
    for side, who in identity.items():
        rows = len(who) + (distractor if side == "gallery" else 0)
        written = np.lib.format.open_memmap(folder / f"{name}_{side}.npy", "w+", np.float32, (rows, WIDTH))
        for start in range(0, rows, 20_000):
            part = rng.standard_normal((min(20_000, rows - start), WIDTH), dtype=np.float32)
            named = who[start : start + 20_000]
            part[: len(named)] = centres[named] + NOISE * part[: len(named)]
            written[start : start + 20_000] = part / np.linalg.norm(part, axis=1, keepdims=True)
        np.save(folder / f"{name}_{side}_identity.npy", np.r_[who, np.full(rows - len(who), -1)])


def load(folder: Path, name: str, mapped: str | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Probe, its identities, gallery, its identities."""
    gallery = np.load(folder / f"{name}_gallery.npy", mmap_mode=mapped)
    files = (f"{name}_probe.npy", f"{name}_probe_identity.npy", f"{name}_gallery_identity.npy")
    probe, probe_identity, gallery_identity = (np.load(folder / file) for file in files)
    return probe, probe_identity, gallery, gallery_identity


def peak() -> float:
    """The most memory this process has had so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(do: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what was returned."""
    start = time.perf_counter()
    result = do()
    return time.perf_counter() - start, result


def product(probe: np.ndarray, gallery: np.ndarray) -> None:
    """The bare product, 256 probes at once; nothing is kept."""
    for start in range(0, len(probe), 256):
        probe[start : start + 256] @ gallery.T


def public_way(
    probe: np.ndarray, probe_identity: np.ndarray, gallery: np.ndarray, gallery_identity: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rank and both average precisions as public evaluators compute them: full matrix, argsort per row, loops."""
    similarity = probe @ gallery.T
    rank, average, official = [], [], []
    for scores, identity in zip(similarity, probe_identity, strict=True):
        good = np.flatnonzero(gallery_identity[np.argsort(-scores)] == identity)
        rank.append(good[0] + 1)
        average.append(np.mean([(number + 1) / (place + 1) for number, place in enumerate(good)]))
        total = 0.0
        for number, place in enumerate(good):
            before = number / place if place else 1.0
            total += (before + (number + 1) / (place + 1)) / 2 / len(good)
        official.append(total)
    return np.array(rank), np.array(average), np.array(official)


def prepare(folder: Path) -> list:
    """Draws the embeddings; no line of the table."""
    draw(folder, "tinyface", **TINYFACE)
    draw(folder, "ijbc", **IJBC)
    for count in MILLION:
        draw(folder, f"million_{count}", **(TINYFACE | {"distractor": count}))
    return []


def tinyface(folder: Path) -> list:
    """The closed set beside the bare product, three times each in turn; and its intervals."""
    from lrfr.core import closed_set

    data = load(folder, "tinyface")
    product(data[0][:256], data[2])  # the first product starts the threads
    base = peak()
    rounds = [(timed(lambda: product(data[0], data[2]))[0], *timed(lambda: closed_set(*data))) for _ in range(3)]
    above = peak() - base
    bare, seconds = (float(np.median([part[column] for part in rounds])) for column in (0, 1))
    outcome = rounds[0][2]
    drawing, figures = timed(lambda: outcome.figures(data[1], draws=1000))
    np.savez(folder / "outcome.npz", outcome.rank, outcome.average_precision, outcome.average_precision_official)
    said = ", ".join(f"{name} {figures[name]:.4f}" for name in ("rank1", "rank20", "map", "map_official"))
    size = f"{len(data[0]):,} x {len(data[2]):,} x {WIDTH}"
    return [
        [f"TinyFace's size, {size}: bare float32 product", bare, 1.0, 0, ""],
        ["the same: `closed_set`", seconds, seconds / bare, above, said],
        ["the same: 1,000 bootstrap draws of 7 figures", drawing, drawing / bare, peak() - base - above, ""],
    ]


def tinyface_public(folder: Path) -> list:
    """The usual public way, all probes, and how many of its ranks differ."""
    data = load(folder, "tinyface")
    base = peak()
    seconds, (rank, average, official) = timed(lambda: public_way(*data))
    ours = list(np.load(folder / "outcome.npz").values())
    said = f"rank1 {(rank == 1).mean():.4f}, rank20 {(rank <= 20).mean():.4f}, map {average.mean():.4f}, "
    said += f"map_official {official.mean():.4f}; ranks that differ from `closed_set`'s: {(rank != ours[0]).sum()}"
    assert abs(average - ours[1]).max() < 1e-3 and abs(official - ours[2]).max() < 1e-3
    return [["the same: full matrix, argsort per row, loops", seconds, None, peak() - base, said]]


def million(count: int) -> Callable[[Path], list]:
    """The measurement of a memory-mapped gallery with ``count`` distractors."""

    def measure(folder: Path) -> list:
        from lrfr.core import closed_set

        data = load(folder, f"million_{count}", mapped="r")
        base = peak()
        seconds, outcome = timed(lambda: closed_set(*data))
        said = f"rank1 {(outcome.rank == 1).mean():.4f}; {seconds / len(data[2]) * 1e6:.1f} us per gallery row"
        return [[f"{count:,} distractors, memory-mapped", seconds, None, peak() - base, said]]

    return measure


def ijbc_closed(folder: Path) -> list:
    """IJB-C's templates, all probes mated."""
    from lrfr.core import closed_set

    probe, probe_identity, gallery, gallery_identity = load(folder, "ijbc")
    base = peak()
    seconds, outcome = timed(lambda: closed_set(probe, probe_identity, gallery, gallery_identity))
    more, figures = timed(lambda: outcome.figures(probe_identity))
    said = f"rank1 {figures['rank1']}; with 1,000 draws {seconds + more:.2f} s"
    return [["IJB-C's size, 19,593 x 3,531: `closed_set`", seconds, None, peak() - base, said]]


def ijbc_open(folder: Path) -> list:
    """IJB-C's templates: half of the gallery is enrolled, so that about half of the probes are unmated."""
    from lrfr.core import open_set

    probe, probe_identity, gallery, gallery_identity = load(folder, "ijbc")
    base = peak()
    enrolled = gallery_identity < IJBC["gallery"] // 2
    mated = probe_identity < IJBC["gallery"] // 2
    sides = gallery[enrolled], gallery_identity[enrolled], probe[mated], probe_identity[mated], probe[~mated]
    seconds, outcome = timed(lambda: open_set(*sides))
    more, figures = timed(lambda: outcome.figures((0.1, 0.01)))
    said = f"TPIR20 at FPIR 0.01 {figures['tpir']['0.01']}; with 1,000 draws {seconds + more:.2f} s"
    size = f"{mated.sum():,} mated, {(~mated).sum():,} unmated, {enrolled.sum():,} templates"
    return [[f"the same: `open_set`, {size}", seconds, None, peak() - base, said]]


MEASUREMENTS: dict[str, Callable[[Path], list]] = {
    "prepare": prepare,
    "tinyface": tinyface,
    "tinyface_public": tinyface_public,
    **{f"million_{count}": million(count) for count in MILLION},
    "ijbc_closed": ijbc_closed,
    "ijbc_open": ijbc_open,
}

if __name__ == "__main__":
    main()
