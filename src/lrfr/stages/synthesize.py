"""synthesize: a low-resolution version of each HR face of the auxiliary set, by one synthesiser."""

import hashlib
from collections.abc import Callable
from itertools import chain

import numpy as np

from lrfr import faces, paths
from lrfr.config import Section, read_params, settings
from lrfr.decoding import decode
from lrfr.errors import BenchmarkError, unknown_name
from lrfr.hr_faces import require_hr_faces
from lrfr.images import Images
from lrfr.progress import track
from lrfr.synthesis import synthesizer

Synthesize = Callable[[np.ndarray, int, Section, np.random.Generator], np.ndarray]

BATCH = 64  # encoded HR faces in memory at a time


def run(name: str) -> None:
    """Writes data/synthetic/NAME.parquet: sizes are drawn from those of the native training faces.

    Raises:
        ParameterError: no such synthesiser, or settings that it does not know.
        BenchmarkError: there are no HR faces, or no native training face to take a size from.
        ImageError: a face's image cannot be decoded.
    """
    params = read_params()
    if name not in params.synthesizers:
        raise unknown_name("synthesizer", name, params.synthesizers, f"{paths.PARAMS}: synthesizers")
    module = synthesizer(name)
    chosen = settings(params.synthesizers[name], module.Settings, f"{paths.PARAMS}: synthesizers.{name}")
    require_hr_faces()
    heights = _native_heights()
    hr_faces = track(faces.read_faces(paths.AUXILIARY).to_pylist(), f"synthesize {name}")
    images = chain.from_iterable(Images(paths.AUXILIARY).batches(BATCH))
    rows = (
        _low_resolution(face, image, name, module.synthesize, chosen, heights, params.seed)
        for face, image in zip(hr_faces, images, strict=True)
    )
    faces.write_face_rows(rows, paths.synthetic(name))


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


def _low_resolution(
    face: dict, encoded: bytes, name: str, synthesize: Synthesize, chosen: Section, heights: np.ndarray, seed: int
) -> dict:
    """A face's row in the synthetic table. All synthesisers give a face the same size, so that they can be compared."""
    image = decode(encoded, where=f"{paths.AUXILIARY}, face {face['face_id']}")
    height_px = min(int(_generator(seed, face["face_id"]).choice(heights)), image.shape[0])
    small = synthesize(image, height_px, chosen, _generator(seed, face["face_id"], name))
    height, width = small.shape[:2]
    landmarks = face["landmarks"]
    if landmarks is not None:
        scale = np.array([width / image.shape[1], height / image.shape[0]] * 5)
        landmarks = (np.array(landmarks) * scale).tolist()
    return face | {
        "face_id": faces.face_id(small, f"{name}:{face['face_id']}"),
        "image": faces.encode_png(small),
        "width": width,
        "height": height,
        "landmarks": landmarks,
        "attributes": dict(face["attributes"] or []) | {"hr_face_id": face["face_id"], "synthesizer": name},
    }


def _generator(seed: int, *keys: str) -> np.random.Generator:
    """Random numbers that depend on the seed and the keys alone, not on the rows before."""
    digest = hashlib.sha256("\n".join([str(seed), *keys]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
