"""Times face tables at TinyFace's size: packing, decoding, copies, random access; and a split of five million faces.

Every measurement runs in a fresh process, whose peak memory is the whole process's. The pictures are soft blobs with
noise, 12 to 32 px high, JPEG and PNG in turn, 1 kB on average, in TinyFace's published layout; every hundredth is the
one before it, recompressed. Prints a Markdown table:

    python benchmarks/face_tables.py             # everything, some minutes
    python benchmarks/face_tables.py --scale 0.05
"""

import argparse
import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.io import savemat

from lrfr.copies import fingerprints
from lrfr.core import partition
from lrfr.core.curation import size_reasons
from lrfr.core.duplicates import find_copies
from lrfr.decoding import decode
from lrfr.faces import fixed_width, numbered, read_faces, write_faces
from lrfr.images import Images
from lrfr.sources import tinyface

TRAIN, PROBES, GALLERY, DISTRACTORS = 7_804, 3_728, 4_443, 153_428
ROWS, PEOPLE = 5_000_000, 200_000
COPIED = 100
SIDE, BATCH, WORKERS = 48, 256, 2

Line = tuple[str, str, float]


def draw_tinyface(root: Path, scale: float) -> None:
    """Writes TinyFace's folders and lists."""
    rng, number, lists = np.random.default_rng(0), 0, {"probe": [], "gallery_match": []}
    counts = {"Training_Set": TRAIN, "Probe": PROBES, "Gallery_Match": GALLERY, "Gallery_Distractor": DISTRACTORS}
    picture = _picture(rng)
    for folder, count in counts.items():
        for index in range(max(int(count * scale), 4)):
            identity, number = index // 2, number + 1
            quality = 70 if number % COPIED == 0 else int(rng.integers(85, 100))
            picture = picture if number % COPIED == 0 else _picture(rng)
            name = f"{identity}_{number}.jpg"  # PNG bytes too are named so, as they are in the wild
            path = root / (f"{folder}/{identity}" if folder == "Training_Set" else f"Testing_Set/{folder}") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            form = (".png", []) if number % 2 else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])
            path.write_bytes(cv2.imencode(form[0], picture, form[1])[1].tobytes())
            for listed in (key for key in lists if key == folder.lower()):
                lists[listed].append((name, identity))
    for key, rows in lists.items():
        short = key.partition("_")[0]
        names = np.array([[name] for name, _ in rows], dtype=object)
        ids = np.array([[identity] for _, identity in rows])
        savemat(root / f"Testing_Set/{key}_img_ID_pairs.mat", {f"{short}_set": names, f"{short}_ids": ids})


def _picture(rng: np.random.Generator) -> np.ndarray:
    height = int(rng.integers(12, 33))
    light = cv2.resize(rng.uniform(40, 230, (4, 4)), (round(0.85 * height), height), interpolation=cv2.INTER_CUBIC)
    colour = light[..., None] * rng.uniform(0.6, 1.1, 3)
    return np.clip(colour + rng.normal(0, 4, light.shape)[..., None], 0, 255).astype(np.uint8)


def pack(folder: Path) -> list[Line]:
    """Reads the layout into one table."""
    start = perf_counter()
    faces = tinyface.acquire(folder / "tinyface", tinyface.Settings(), 0).faces
    write_faces(faces, folder / "faces.parquet")
    size = sum(len(image) for image in faces["image"].to_pylist()) / len(faces)
    what = f"{len(faces):,} crops of {size:,.0f} bytes: read, checked, hashed and packed"
    return [(what, f"{perf_counter() - start:.1f} s", _peak())]


def unpack(folder: Path) -> list[Line]:
    """Reads the table and decodes every face."""
    start = perf_counter()
    images = [image for batch in Images(folder / "faces.parquet").batches(BATCH) for image in batch]
    read = perf_counter() - start
    pixels = sum(decode(image).size for image in images)
    what = f"{len(images):,} faces: read from the table, and decoded ({pixels / 3e6:.0f} megapixels)"
    return [(what, f"{read:.1f} s + {perf_counter() - start - read:.1f} s", _peak())]


def search(folder: Path) -> list[Line]:
    """Looks for copies of every face among all."""
    images = Images(folder / "faces.parquet")
    start = perf_counter()
    seen = fingerprints([images])
    hashed = perf_counter() - start
    copies = find_copies(seen.digest, seen.hash, seen.thumbnail, np.zeros(len(images), bool))
    what = f"copies among {len(images):,} faces ({len(copies):,} found, {len(images) // COPIED:,} planted): "
    seconds = f"{hashed:.1f} s + {perf_counter() - start - hashed:.1f} s"
    return [(what + "read, hashes and thumbnails, and search", seconds, _peak())]


def divide(folder: Path) -> list[Line]:
    """Filters by size, counts and splits a table without images."""
    start = perf_counter()
    faces = pq.read_table(folder / "rows.parquet")
    width, height = faces["width"].to_numpy(), faces["height"].to_numpy()
    reasons = size_reasons(width, height, 32)
    kept = faces.filter(np.equal(reasons, None))
    sizes = np.histogram(kept["height"].to_numpy(), bins=np.arange(34))[0]
    images = kept.group_by("identity").aggregate([([], "count_all")])
    names, person = numbered(kept["identity"])
    split = partition.assign(fixed_width(kept["face_id"]), person, names, 0.5, 7)
    partition.check(person, names, split, [])
    kept = kept.append_column("split", pa.array(split, pa.string()))
    parts = kept.group_by("split").aggregate([([], "count_all"), ("height", "mean")])
    what = f"{len(faces):,} rows without images: read, {len(faces) - len(kept):,} filtered by size, counted "
    what += f"({len(images) - 1:,} identities, {np.count_nonzero(sizes)} heights, {len(parts)} parts), split and proved"
    return [(what, f"{perf_counter() - start:.1f} s", _peak())]


def access(folder: Path) -> list[Line]:
    """Reads faces in random order for training: ours, and torchvision's folder of files."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import Compose, Resize, ToTensor

    from lrfr.nn.batches.images import FaceImages, batches

    torch.set_num_threads(1)
    splits = read_faces(folder / "faces.parquet", ["split"])["split"].to_numpy()
    faces = Images(folder / "faces.parquet", np.flatnonzero(splits == "distractor")[:40_000])
    root = folder / "folder"
    for number, image in enumerate(chain.from_iterable(faces.batches(BATCH))):
        path = root / f"{number // 10:05}" / f"{number}.jpg"  # a crowded folder would slow the file system down
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
    images = FaceImages(faces, (SIDE, SIDE))
    files = ImageFolder(str(root), Compose([Resize((SIDE, SIDE)), ToTensor()]))
    rates: dict[str, list[float]] = {"ours": [], "folder": []}
    for turn in range(3):
        order = np.random.default_rng(turn).permutation(len(faces))
        rows = [order[start : start + BATCH].tolist() for start in range(0, len(order), BATCH)]
        loaders = {
            "folder": DataLoader(files, BATCH, shuffle=True, num_workers=WORKERS),
            "ours": batches(images, rows, WORKERS),
        }
        for name, loader in loaders.items():
            start = perf_counter()
            count = sum(len(batch[0] if name == "folder" else batch) for batch in loader)
            rates[name].append(count / (perf_counter() - start))
    ours, theirs = np.median(rates["ours"]), np.median(rates["folder"])
    what = f"{len(faces):,} faces in random order as float tensors of {SIDE} px, batches of {BATCH}, {WORKERS} workers"
    return [
        (what, f"{ours:,.0f} images/s", _peak()),
        ("the same by torchvision's ImageFolder", f"{theirs:,.0f} images/s; ours is {ours / theirs:.1f} times that", 0),
    ]


def draw_rows(folder: Path, scale: float) -> None:
    """Writes a table of faces without images."""
    rng, count = np.random.default_rng(0), int(ROWS * scale)
    names = np.array([f"person {number}" for number in range(int(PEOPLE * scale))], dtype=object)
    identity = np.where(rng.random(count) < 0.8, names[rng.integers(len(names), size=count)], None)
    height = rng.integers(8, 40, count, dtype=np.int32)
    columns = {
        "face_id": [f"{number:020x}" for number in rng.permutation(count).tolist()],
        "width": np.rint(0.85 * height).astype(np.int32),
        "height": height,
        "identity": pa.array(identity, pa.string()),
    }
    pq.write_table(pa.table(columns), folder / "rows.parquet", compression="zstd")


def _peak() -> float:
    """The most memory (MB) that this process, or one that it started, has held."""
    used = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(used) / 1024


def _fresh(work: Callable[[Path], list[Line]], folder: Path) -> list[Line]:
    """What ``work`` measures in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, folder).result()


def main() -> None:
    """Draws the data, measures and prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--scale", type=float, default=1.0, help="share of the full sizes, 0..1")
    scale = arguments.parse_args().scale
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw_tinyface(folder / "tinyface", scale)
        draw_rows(folder, scale)
        print("| what | result | peak memory |\n|---|---|---|")
        for work in (pack, unpack, search, divide, access):
            for what, result, memory in _fresh(work, folder):
                print(f"| {what} | {result} | {f'{memory:,.0f} MB' if memory else ''} |", flush=True)


if __name__ == "__main__":
    main()
