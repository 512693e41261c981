"""Tiny trees in published layouts, for the tests of their readers."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
from scipy.io import savemat

from tests.drawing import jpeg


def picture(seed: int, height: int = 12, width: int = 10) -> bytes:
    """A small JPEG like no other."""
    noise = np.random.default_rng(seed).integers(0, 255, (3, 3, 3), dtype=np.uint8)
    return jpeg(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


def tree(root: Path, *names: str) -> Path:
    """Writes a picture under each name."""
    for seed, name in enumerate(names):
        put(root / name, picture(seed))
    return root


def write(root: Path, files: dict[str, bytes]) -> Path:
    """Writes each file."""
    for name, content in files.items():
        put(root / name, content)
    return root


def put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def cells(*rows: str | tuple[str, ...]) -> np.ndarray:
    """A MATLAB cell array of file names, one row each."""
    columns = [row if isinstance(row, tuple) else (row,) for row in rows]
    array = np.empty((len(columns), len(columns[0])), object)
    for place in np.ndindex(array.shape):
        array[place] = columns[place[0]][place[1]]
    return array


def id_list(path: Path, part: str, identities: dict[str, int]) -> None:
    """A list of file names and identities as TinyFace and QMUL-SurvFace write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = np.array(list(identities.values()), np.uint16)[:, None]
    savemat(path, {f"{part}_set": cells(*identities), f"{part}_ids": ids})


def by_name(faces: pa.Table) -> dict[str, dict]:
    """The rows of a face table by their name inside the layout, attributes as a dict."""
    rows = [row | {"attributes": dict(row["attributes"])} for row in faces.to_pylist()]
    return {row["attributes"]["name"]: row for row in rows}


def reasons(excluded: pa.Table) -> dict[str, str]:
    return {row["where"]: row["reason"] for row in excluded.to_pylist()}
