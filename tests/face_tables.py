"""Small split tables for the tests of the stages that read them."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from lrfr import faces, paths
from lrfr.files import write_json
from lrfr.images import Images

VALIDATE = {"min_identities": 4, "min_distractors": 10, "mean_height": [12, 26]}


def write_params(**sections: object) -> None:
    """The project's own params.yaml in the current folder, with T-C's SR network and some sections replaced."""
    project = Path(__file__).parents[1]
    files = (project / name for name in ("params.yaml", "params/tc.yaml"))
    params, with_sr = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)
    params |= {name: with_sr[name] for name in ("super_resolution", "evaluate")}
    paths.PARAMS.write_text(yaml.safe_dump(params | {"validate": VALIDATE} | sections, sort_keys=False))


def picture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Soft blobs of colour with a little noise: (height, width, 3) uint8."""
    blobs = cv2.resize(rng.uniform(60, 190, (4, 4, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(blobs + rng.normal(0, 3, blobs.shape), 0, 255).astype(np.uint8)


def face(rng: np.random.Generator, key: str, height: int, **columns: object) -> dict:
    """A row of a face table, every column filled."""
    image = picture(rng, height, round(0.8 * height))
    width = image.shape[1]
    return {
        "face_id": faces.face_id(image, key),
        "source": "test",
        "image": faces.encode_png(image),
        "width": width,
        "height": height,
        "identity": None,
        "photo_id": f"photo {key}",
        "box": [10.0, 20.0, float(width), float(height)],
        "landmarks": (np.array([0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.35, 0.8, 0.65, 0.8]) * ([width, height] * 5)).tolist(),
        "score": 0.9,
        "attributes": [("camera", "1")],
    } | columns


def split_rows(seed: int = 0, identities: int = 10, distractors: int = 20) -> tuple[list[dict], list[dict]]:
    """Rows of a sound benchmark (half of the identities train, half test; 4 faces each) and of an auxiliary set."""
    rng = np.random.default_rng(seed)
    benchmark = []
    for number in range(identities):
        for shot in range(4):
            split = "train" if number < identities // 2 else ("probe", "gallery")[shot % 2]
            height = int(rng.integers(10, 31))
            benchmark.append(face(rng, f"n{number} {shot}", height, identity=f"n{number:03}", split=split))
    benchmark += [face(rng, f"d{n}", int(rng.integers(10, 31)), split="distractor") for n in range(distractors)]
    auxiliary = [
        face(rng, f"a{n}", 80, identity=f"a{n // 5:03}", split="validation" if n % 5 == 4 else "train")
        for n in range(30)
    ]
    return benchmark, auxiliary


def write_faces(rows: list[dict], path: Path) -> None:
    """Writes a face table out of rows."""
    faces.write_faces(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), path)


def write_test_set(name: str, rows: list[dict], protocol: str) -> None:
    """Writes the faces of an imported test set, and what it says of itself."""
    write_faces(rows, paths.test_set(name))
    write_json(paths.test_set_facts(name), {"source": "test", "protocol": protocol})


def unrecognizable_rows(count: int = 8) -> list[dict]:
    """Faces that nobody recognises, of nobody who is known."""
    rng = np.random.default_rng(11)
    return [face(rng, f"u{number}", int(rng.integers(8, 20))) for number in range(count)]


def write_split(change: Callable[[list[dict], list[dict]], object] = lambda benchmark, auxiliary: None) -> None:
    """Writes the tables into the current folder, two after a change; unlike a stage, it does not check them."""
    benchmark, auxiliary = split_rows()
    change(benchmark, auxiliary)
    unrecognizable = unrecognizable_rows()
    tables = (benchmark, paths.BENCHMARK), (auxiliary, paths.AUXILIARY), (unrecognizable, paths.UNRECOGNIZABLE)
    for rows, path in tables:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), path)


def whole(path: Path) -> pa.Table:
    """A table as it is on the disk, its images too."""
    return pq.read_table(path)


def images_of(table: pa.Table) -> Images:
    """The images of a table; their file stays open when it is gone."""
    with TemporaryDirectory() as folder:
        pq.write_table(table, Path(folder) / "faces.parquet")
        return Images(Path(folder) / "faces.parquet")


def labelled_of(table: pa.Table, *arguments: Any, **named: Any) -> Any:
    """A table as training data."""
    from lrfr.nn.batches.labelled import labelled

    with TemporaryDirectory() as folder:
        pq.write_table(table, Path(folder) / "faces.parquet")
        return labelled(Path(folder) / "faces.parquet", *arguments, **named)


def face_table(people: int = 4, images: int = 6, splits: tuple[str, ...] = ("train",)) -> pa.Table:
    """Faces of a few identities, each identity's images dealt out to the splits in turn."""
    rng = np.random.default_rng(0)
    rows = [
        face(rng, f"{person} {image}", 24, identity=f"person{person}", split=splits[image % len(splits)])
        for person in range(people)
        for image in range(images)
    ]
    return pa.Table.from_pylist(rows, faces.FACE_SCHEMA)
