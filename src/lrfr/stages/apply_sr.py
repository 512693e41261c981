"""super_resolve: faces that are tested on once more, after a super-resolution network.

What Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", IVC 99, 2020, do before they test their
models again (Tables 10 and 12): the network knows nothing of the models, and they nothing of it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from lrfr import paths
from lrfr.config import read_params, settings
from lrfr.decoding import decode
from lrfr.errors import unknown_name
from lrfr.faces import Row, encode_png
from lrfr.nn.compute import device, make_deterministic
from lrfr.nn.resolution import to_size
from lrfr.nn.super_resolution.resolver import SuperResolver, read_resolver
from lrfr.parallel import cores
from lrfr.protocols.options import Evaluate
from lrfr.protocols.views import conditions
from lrfr.test_sets import attributes_of, test_sets, write_changed

BATCH = 64  # faces through the network at once


def run(name: str) -> None:
    """Writes data/super_resolved/NAME/SET.parquet for each test set whose protocol asks for this network.

    The test faces in their order, with the face_id that they had, as PNG: their shorter side is the network's, their
    aspect the captured face's. A face that is larger than the network's size would lose detail on the way: it stays as
    it is, with the attribute ``super_resolved`` = no. So does a missing one, without it.

    Raises:
        ParameterError: there is no such network.
        FaceTableError: a test set is missing.
        TrainingError: the network is missing.
        ImageError: a face cannot be decoded.
    """
    params = read_params()
    if name not in params.super_resolution:
        known = params.super_resolution
        raise unknown_name("super-resolution network", name, known, f"{paths.PARAMS}: super_resolution")
    make_deterministic(0, params.threads)
    paths.super_resolved(name, "any").parent.mkdir(parents=True, exist_ok=True)  # also where nobody asks
    options = settings(params.evaluate, Evaluate, f"{paths.PARAMS}: evaluate")
    asking = [some for some in test_sets(params) if f"super_resolved_{name}" in conditions(some.protocol, options)]
    if not asking:
        print(f"no test set asks for '{name}': it is not among {paths.PARAMS}: evaluate.super_resolution")
        return
    resolver = read_resolver(paths.super_resolver(name)).to(device())
    for test_set in asking:
        _super_resolve(resolver, test_set.faces, paths.super_resolved(name, test_set.name), test_set.name)


def _super_resolve(resolver: SuperResolver, faces: Path, out: Path, test_set: str) -> None:
    doing = f"super-resolving {test_set}"
    with ThreadPoolExecutor(cores()) as pool:
        change = partial(_super_resolved, resolver, pool=pool)
        total, large = write_changed(faces, out, doing, "super_resolved", change)
    if large:
        height, width = resolver.size
        print(f"{test_set}: {large} of {total} faces are larger than {width} x {height} px and stay as they are")


def _super_resolved(
    resolver: SuperResolver, rows: list[Row], images: list[bytes], pool: ThreadPoolExecutor
) -> Iterator[Row]:
    """The rows after the network, in their order."""
    rows = [row | {"image": image} for row, image in zip(rows, images, strict=True)]
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        fits = [row for row in some if "missing" not in attributes_of(row) and _is_no_larger(row, resolver.size)]
        enlarged = pool.map(lambda row: _enlarged(row, resolver.size), fits)
        made = zip(fits, pool.map(_as_captured, _through(resolver, list(enlarged)), fits), strict=True)
        replaced = {row["face_id"]: _replaced(row, image) for row, image in made}
        yield from (replaced.get(row["face_id"], _as_it_is(row)) for row in some)


@torch.inference_mode()
def _through(resolver: SuperResolver, images: list[torch.Tensor]) -> list[np.ndarray]:
    """Images (3, h, w), values 0..1, after the network, each (h, w, 3) uint8."""
    if not images:
        return []
    made = resolver(torch.stack(images).to(device())).mul(255).round().byte()
    return list(made.permute(0, 2, 3, 1).contiguous().cpu().numpy())


def _enlarged(row: Row, size: tuple[int, int]) -> torch.Tensor:
    pixels = np.ascontiguousarray(decode(row["image"], f"face {row['face_id']}").transpose(2, 0, 1))
    return to_size(torch.from_numpy(pixels)[None].float() / 255, size, "bicubic")[0]


def _is_no_larger(row: Row, size: tuple[int, int]) -> bool:
    return row["height"] <= size[0] and row["width"] <= size[1]


def _as_captured(image: np.ndarray, row: Row) -> np.ndarray:
    """A square that the network made (h, w, 3), enlarged along one side to the aspect of the captured face: squeezed to
    a square, a face would be aligned as another one."""
    scale = max(image.shape[0] / row["height"], image.shape[1] / row["width"])
    width, height = round(row["width"] * scale), round(row["height"] * scale)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)


def _replaced(row: Row, image: np.ndarray) -> Row:
    """A face's row with its image, its size and its landmarks as the network left them."""
    height, width = image.shape[:2]
    landmarks = row["landmarks"]
    if landmarks is not None:
        landmarks = (np.array(landmarks) * np.tile([width / row["width"], height / row["height"]], 5)).tolist()
    return row | {"image": encode_png(image), "width": width, "height": height, "landmarks": landmarks}


def _as_it_is(row: Row) -> Row:
    """A face that did not go through the network."""
    kept = attributes_of(row)
    return row if "missing" in kept else row | {"attributes": list((kept | {"super_resolved": "no"}).items())}
