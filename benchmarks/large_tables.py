"""Runs every stage that takes rows with images on tables of more than 2 GiB of images, and tells its peak memory.

    python benchmarks/large_tables.py FOLDER            # FOLDER is new, and is removed afterwards
    python benchmarks/large_tables.py FOLDER --faces 40

Arrow's 32-bit offsets end at 2 GiB: a stage that gathers so many images in one array fails with "offset overflow while
concatenating arrays". Each of three collections has 2,200 faces of 1 MB: noise under a soft light, 120 px high in the
auxiliary set and in a test set, 24 px among native faces. Their bytes are those of a PNG with a private chunk, which
decoders skip; it is of zeros, so that the tables take little room on the disk, and as much as any others in memory.
Networks are tiny, and trainings have one epoch. Prints a Markdown table; the memory is that of the largest process of a
stage.
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import yaml

from lrfr import faces, paths
from lrfr.faces import EXCLUDED_SCHEMA, PHOTO_SCHEMA, TAG_SCHEMA, TRUTH_SCHEMA, write_face_rows, write_table
from lrfr.files import write_json

PROJECT = Path(__file__).parents[1]
HR_SIDE, LR_SIDE, BYTES = 120, 24, 1 << 20
IMAGES = 4  # of each identity
POINTS = np.array([0.31, 0.46, 0.69, 0.46, 0.5, 0.64, 0.35, 0.82, 0.65, 0.82])  # eyes, nose, mouth corners; of a side
NOISE = np.random.default_rng(0).integers(0, 70, (1024, 1024, 3), dtype=np.uint8)
FILES = "raw/portraits"

# What each stage leaves that no later one reads
STAGES: dict[str, list[Path]] = {
    "code": [],
    "detect": [paths.CUT_FACES],
    "curate": [paths.DETECTED_AUXILIARY],
    "split": [paths.CURATED_AUXILIARY],
    "train-landmarks": [],
    "locate-landmarks": [],
    "pretrain main": [],
    "synthesize photographic": [],
    "synlr": [],
    "validate-synthetic": [],
    "drift": [],
    "train-sr vdsr": [],
    "apply-sr vdsr": [],
    "finetune pretrained": [],
    "finetune baseline": [],
    "finetune csri": [],
    "embed baseline": [],
    "visualize": [],
    "label-errors": [paths.CURATED_NATIVE],
    "export faces": [paths.DETECTED_NATIVE, Path("faces")],
    "acquire": [Path(FILES)],
}


def picture(rng: np.random.Generator, side: int) -> np.ndarray:
    """Noise under a soft light of its own: (side, side, 3) uint8."""
    light = cv2.resize(rng.integers(40, 180, (4, 4, 3)).astype(np.uint8), (side, side))
    left, top = rng.integers(len(NOISE) - side, size=2)
    return light + NOISE[top : top + side, left : left + side]


def padded(pixels: np.ndarray) -> bytes:
    """A PNG of ``BYTES`` bytes and a few: a private chunk before the last one holds zeros."""
    png = faces.encode_png(pixels)
    chunk = b"prVt" + bytes(BYTES - len(png))
    end = len(png) - 12  # of IEND
    return png[:end] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[end:]


def rows(collection: str, count: int, side: int) -> Iterator[dict[str, Any]]:
    """The rows of a face table, four of each identity; of a test set probes, gallery and distractors."""
    rng = np.random.default_rng(zlib.crc32(collection.encode()))
    for number in range(count):
        pixels = picture(rng, side)
        is_stranger = collection != "auxiliary" and number >= 0.9 * count
        split = "distractor" if is_stranger else ("probe", "gallery")[number % 2]
        yield {
            "face_id": faces.face_id(pixels, f"{collection}{number}"), "source": "noise", "image": padded(pixels),
            "width": side, "height": side, "identity": None if is_stranger else f"{collection}{number // IMAGES:04}",
            "photo_id": f"{collection}{number}", "box": [0.0, 0.0, side, side], "landmarks": POINTS * side,
            "score": 0.9, "split": split if collection == "test" else None, "attributes": [("collection", collection)],
        }  # fmt: skip


def write_files(count: int) -> None:
    """Writes a folder per person, for the one stage that reads files."""
    rng = np.random.default_rng(1)
    for number in range(count):
        path = Path(FILES) / f"person{number // IMAGES:04}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(padded(picture(rng, HR_SIDE)))


def write_acquired(count: int) -> None:
    """Writes what the stage ``acquire`` would leave of sources whose faces have landmarks."""
    for path, schema in (
        (paths.PHOTOS, PHOTO_SCHEMA),
        (paths.TAGS, TAG_SCHEMA),
        (paths.TRUTH, TRUTH_SCHEMA),
        (paths.UNUSED, EXCLUDED_SCHEMA),
    ):
        write_table(schema.empty_table(), path, schema)
    made = (row for name, side in (("native", LR_SIDE), ("auxiliary", HR_SIDE)) for row in rows(name, count, side))
    write_face_rows(made, paths.CUT_FACES)


def write_test_set(count: int) -> None:
    """Writes an imported test set of HR faces."""
    write_face_rows(rows("test", count, HR_SIDE), paths.test_set("distractors"))
    write_json(paths.test_set_facts("distractors"), {"source": "noise", "protocol": "tinyface"})


def write_params(count: int) -> None:
    """The project's parameters with tiny networks, trainings of one epoch, and nobody who verifies."""
    files = (PROJECT / name for name in ("params.yaml", "params/tc.yaml"))
    params, with_sr = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)
    params |= {section: with_sr[section] for section in ("super_resolution", "evaluate")}
    params["acquire"] = {"source": "identity_folders", "root": FILES, "settings": {"collection": "native"}}
    params["curate"] |= {"unverified": "keep", "simulated_labellers": {}}
    params["evaluation_sets"] = {"distractors": params["evaluation_sets"]["distractors"]}
    params["synthesizers"] = {"photographic": params["synthesizers"]["photographic"]}
    params["landmarks"]["width"] = 0.25
    del params["methods"]["random"]
    backbone, runs = params["backbones"]["main"], params["methods"]
    backbone["architecture"].update(width=0.125, embedding_dim=32)
    batch = min(64, count // 8)
    for section in (backbone, params["landmarks"], *params["super_resolution"].values(), *runs.values()):
        for training in (value for value in section.values() if isinstance(value, dict) and "epochs" in value):
            training.update(epochs=1, batch_size=batch, warmup_epochs=0)
    paths.PARAMS.write_text(yaml.safe_dump(params), encoding="utf-8")


def measured(stage: str) -> tuple[float, float]:
    """Runs a stage to its end; the seconds that it took, and the most memory (MB) that one of its processes held."""
    start = perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "lrfr", *stage.split()], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{stage} ended with {code}")
    return perf_counter() - start, used.ru_maxrss / 1024


def main() -> None:
    """Makes the tables, runs the stages, prints, and removes everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faces", type=int, default=2200)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True)
    os.chdir(arguments.folder)
    write_params(arguments.faces)
    Path(FILES).mkdir(parents=True)
    print("| stage | seconds | peak memory |\n|---|---|---|", flush=True)
    for stage, done in STAGES.items():
        if stage == "acquire":
            write_files(arguments.faces)
        if stage == "detect":
            write_acquired(arguments.faces)
        if stage == "curate":
            write_test_set(arguments.faces)
        seconds, memory = measured(stage)
        print(f"| `{stage}` | {seconds:.0f} | {memory:,.0f} MB |", flush=True)
        for path in done:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    os.chdir(PROJECT)
    shutil.rmtree(arguments.folder)


if __name__ == "__main__":
    main()
