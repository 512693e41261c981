"""``lrfr embed IMAGES`` against the usual loop, one image at a time, by the same network; and its memory.

    python benchmarks/embedding.py

prints a Markdown table. The loop is that of insightface's ``get_feat`` and most public scripts: ``cv2.imread``, resize,
normalise, one forward pass per image. Both start with a loaded library, read the model from its file, and end with
every embedding on the disk or in memory; they take turns, medians count. Every row of memory is a process of its own.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import torch

from lrfr.faces import FACE_SCHEMA, write_faces
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Model, read_model, write_model
from lrfr.parallel import cores
from lrfr.stages import embed_images

NETWORKS = {
    "tiny faces, 20 px, PNG; IR-18, half the channels, 48 px": (
        Architecture(backbone="lrfr_ir18", width=0.5, embedding_dim=256, input_size=48, dropout=0.2), 1000, 20, ".png"
    ),
    "aligned faces, 112 px, JPEG; IR-50, 112 px": (
        Architecture(backbone="lrfr_ir50", width=1.0, embedding_dim=512, input_size=112, dropout=0.2), 128, 112, ".jpg"
    ),
}  # fmt: skip
SMALL = Architecture(backbone="lrfr_ir18", width=0.05, embedding_dim=512, input_size=16, dropout=0.2)
ROWS = (20_000, 200_000)
TURNS = 3


def main() -> None:
    """Measures everything, or with ``--measure`` one thing in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", nargs=2, metavar=("ROWS", "FOLDER"), help="memory, printed as JSON")
    chosen = parser.parse_args().measure
    if chosen:
        print(json.dumps(_measure_memory(int(chosen[0]), Path(chosen[1]))))
        return
    print("| images and network | the loop | lrfr embed | of the loop's rate | largest difference, of the length |")
    print("|---|---|---|---|---|")
    for name, (architecture, count, side, ending) in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            print(f"| {count:,} {name} | {_compare(Path(folder), architecture, count, side, ending)} |", flush=True)
    print("\n| face table, 512 numbers each | images/s | peak memory | of which before it |\n|---|---|---|---|")
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            _write_table(Path(folder), rows)
            command = [sys.executable, __file__, "--measure", str(rows), folder]
            rate, peak, before = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"| {rows:,} rows | {rate:,.0f} | {peak:.0f} MB | {before:.0f} MB |", flush=True)


def _compare(folder: Path, architecture: Architecture, count: int, side: int, ending: str) -> str:
    """Both rates, their ratio and the largest difference, as cells."""
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"images/{number // 100:03}/{number:05}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), _face(rng, side))
    torch.manual_seed(0)
    write_model(folder / "model", Model(Embedder(architecture)))
    times, found = [], []
    for _ in range(TURNS):
        start = time.perf_counter()
        looped = _loop(folder)
        between = time.perf_counter()
        ours = _ours(folder / "images", folder)
        times.append((between - start, time.perf_counter() - between))
        found = [looped, ours]
    loop, lrfr = (count / statistics.median(column) for column in zip(*times, strict=True))
    difference = (np.abs(found[0] - found[1]).max(axis=1) / np.linalg.norm(found[0], axis=1)).max()
    return f"{loop:,.0f} images/s | {lrfr:,.0f} images/s | {lrfr / loop:.2f} | {difference:.1e}"


def _face(rng: np.random.Generator, side: int) -> np.ndarray:
    """A soft picture with a little noise."""
    light = cv2.resize(rng.uniform(40, 230, (6, 6, 3)), (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(light + rng.normal(0, 4, light.shape), 0, 255).astype(np.uint8)


@torch.inference_mode()
def _loop(folder: Path) -> np.ndarray:
    """One image at a time."""
    torch.set_num_threads(cores())
    embedder = read_model(folder / "model").embedder
    height, width = embedder.architecture.size
    embeddings = []
    for path in sorted((folder / "images").rglob("*.*")):
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        image = cv2.resize(image, (width, height))
        embeddings.append(embedder(torch.from_numpy(image.transpose(2, 0, 1)[None])).numpy()[0])
    return np.stack(embeddings)


def _ours(what: Path, folder: Path) -> np.ndarray:
    out = folder / "out.npz"
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        embed_images.run(what, folder / "model", out, "none")
    with np.load(out) as arrays:
        return arrays["embedding"]


def _write_table(folder: Path, rows: int) -> None:
    """A face table, and a small network of as many numbers as a large one."""
    rng = np.random.default_rng(0)
    images = [cv2.imencode(".jpg", _face(rng, 20))[1].tobytes() for _ in range(1000)]
    columns = {
        "face_id": [f"{number:020x}" for number in range(rows)],
        "source": ["benchmark"] * rows,
        "image": [images[number % 1000] for number in range(rows)],
        "width": [20] * rows,
        "height": [20] * rows,
        "identity": [f"person {number // 10}" for number in range(rows)],
    }
    nothing = {name: pa.nulls(rows, FACE_SCHEMA.field(name).type) for name in FACE_SCHEMA.names if name not in columns}
    write_faces(pa.table(columns | nothing), folder / "faces.parquet")
    write_model(folder / "model", Model(Embedder(SMALL)))


def _measure_memory(rows: int, folder: Path) -> tuple[float, float, float]:
    """Images per second over a face table of so many rows, and the peak of memory (MB) with it and before it."""
    before, start = _peak(), time.perf_counter()
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        embed_images.run(folder / "faces.parquet", folder / "model", folder / "out.npz", "none")
    return rows / (time.perf_counter() - start), _peak(), before


def _peak() -> float:
    """The most memory (MB) that this process has held; getrusage would count the process that started it."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
