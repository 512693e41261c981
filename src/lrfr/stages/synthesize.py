"""synthesize: a low-resolution version of each HR face of the auxiliary set, by one synthesiser."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from lrfr import faces, paths
from lrfr.config import Params, read_params
from lrfr.decoding import decode
from lrfr.errors import BenchmarkError, FaceTableError, unknown_name
from lrfr.faces import LANDMARK_SCHEMA, Row, read_faces, read_table
from lrfr.hr_faces import require_hr_faces
from lrfr.images import Images
from lrfr.progress import track
from lrfr.synthesis import SECTIONS, read_learned, settings_of

if TYPE_CHECKING:
    from lrfr.nn.translation.generator_file import Generator

BATCH = 64  # encoded HR faces in memory at a time
Versions = Iterator[tuple[Row, np.ndarray, np.ndarray]]  # an HR face's row, its image, and its LR version


def run(name: str) -> None:
    """Writes data/synthetic/NAME.parquet: sizes are drawn from those of the native training faces.

    Raises:
        ParameterError: no such synthesiser, or settings that it does not know.
        BenchmarkError: there are no HR faces, or no native training face to take a size from.
        TrainingError: it learns, and has not been trained.
        ImageError: a face's image cannot be decoded.
    """
    params = read_params()
    learned = name in params.learned_synthesizers
    where = f"{paths.PARAMS}: {SECTIONS[learned]}"
    if name not in params.all_synthesizers:
        raise unknown_name("synthesizer", name, params.all_synthesizers, where)
    module, chosen = settings_of(name, params.all_synthesizers[name], learned, f"{where}.{name}")
    require_hr_faces()
    heights = _native_heights()
    marks = {"synthesizer": name}
    if learned:
        versions = _generated(name, read_learned(name), heights, params)
        marks["model"] = hashlib.sha256((paths.synthesizer(name) / "model.safetensors").read_bytes()).hexdigest()
    else:
        versions = _computed(name, partial(module.synthesize, settings=chosen), heights, params.seed)
    total = len(read_faces(paths.AUXILIARY, ["face_id"]))
    rows = (_low_resolution(*version, marks) for version in track(versions, f"synthesize {name}", total))
    faces.write_face_rows(rows, paths.synthetic(name))


def _computed(name: str, synthesize: Callable[..., np.ndarray], heights: np.ndarray, seed: int) -> Versions:
    """Every HR face with its version by a formula."""
    for face, image in _hr_faces():
        height_px = _height(face, image, heights, seed)
        yield face, image, synthesize(image, height_px, rng=_generator(seed, face["face_id"], name))


def _generated(name: str, generator: "Generator", heights: np.ndarray, params: Params) -> Versions:
    """Every HR face with its version by a learned generator, a batch at a time on the device."""
    from lrfr.nn.compute import device, make_deterministic
    from lrfr.nn.translation.making import make

    make_deterministic(params.seed, params.threads)
    generator.network.to(device())
    both = zip(_hr_faces(), _located(), strict=True)
    while batch := list(islice(both, BATCH)):
        rows, images, points = zip(*((row, image, points) for (row, image), points in batch), strict=True)
        wanted = [_height(row, image, heights, params.seed) for row, image in zip(rows, images, strict=True)]
        rngs = [_generator(params.seed, row["face_id"], name) for row in rows]
        yield from zip(rows, images, make(generator, images, points, wanted, rngs), strict=True)


def _hr_faces() -> Iterator[tuple[Row, np.ndarray]]:
    """The rows of the auxiliary faces, and their images."""
    rows = read_faces(paths.AUXILIARY).to_pylist()
    for face, image in zip(rows, chain.from_iterable(Images(paths.AUXILIARY).batches(BATCH)), strict=True):
        yield face, decode(image, where=f"{paths.AUXILIARY}, face {face['face_id']}")


def _located() -> np.ndarray:
    """The landmarks (N, 5, 2) by which auxiliary faces are aligned, px; NaN where nobody found them."""
    table = read_table(paths.AUXILIARY_LANDMARKS, LANDMARK_SCHEMA)
    if not table["face_id"].equals(read_faces(paths.AUXILIARY, ["face_id"])["face_id"]):
        what = "these are the landmarks of other faces"
        raise FaceTableError(what, where=paths.AUXILIARY_LANDMARKS, remedy="lrfr locate-landmarks")
    nobody = [np.nan] * 10
    told = table["landmarks"].to_pylist()
    return np.array([nobody if points is None else points for points in told], float).reshape(-1, 5, 2)


def _height(face: Row, image: np.ndarray, heights: np.ndarray, seed: int) -> int:
    """How high a face's version is, px. All synthesisers give a face the same size, so that they can be compared."""
    return min(int(_generator(seed, face["face_id"]).choice(heights)), image.shape[0])


def _native_heights() -> np.ndarray:
    """The sorted heights, px, of the native training faces: (N,) int, at least one."""
    benchmark = faces.read_faces(paths.BENCHMARK, ["height", "split"])
    train = np.array(benchmark.column("split").to_pylist()) == "train"
    if not train.any():
        raise BenchmarkError(
            "the benchmark has no native training face, so there is no size to give synthetic ones",
            where=paths.BENCHMARK,
            remedy="make params.yaml's acquire larger or curate less strict",
        )
    return np.sort(benchmark.column("height").to_numpy()[train])


def _low_resolution(face: Row, image: np.ndarray, small: np.ndarray, marks: dict[str, str]) -> Row:
    """The row of a face's LR version in the synthetic table."""
    height, width = small.shape[:2]
    landmarks = face["landmarks"]
    if landmarks is not None:
        scale = np.array([width / image.shape[1], height / image.shape[0]] * 5)
        landmarks = (np.array(landmarks) * scale).tolist()
    return face | {
        "face_id": faces.face_id(small, f"{marks['synthesizer']}:{face['face_id']}"),
        "image": faces.encode_png(small),
        "width": width,
        "height": height,
        "landmarks": landmarks,
        "attributes": dict(face["attributes"] or []) | {"hr_face_id": face["face_id"]} | marks,
    }


def _generator(seed: int, *keys: str) -> np.random.Generator:
    """Random numbers that depend on the seed and the keys alone, not on the rows before."""
    digest = hashlib.sha256("\n".join([str(seed), *keys]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
