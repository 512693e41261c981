"""twin: the native benchmark once more, out of HR faces that are shrunk, to compare native and synthetic LR.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, Table 4: the same counts, the same partition, and every
HR face shrunk to the mean size of the native ones. Each face of the twin names the native face that it stands in for,
so that where there are too few HR faces the native benchmark can be cut down to the same faces.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.resampling import bicubic
from lrfr.core.twin import counterparts
from lrfr.errors import BenchmarkError
from lrfr.faces import FACE_SCHEMA, decode, encode_png, face_id, read_faces, write_faces
from lrfr.progress import track


def run() -> None:
    """Writes data/twin/faces.parquet, with the attributes ``native_face_id`` and ``hr_face_id``.

    Raises:
        BenchmarkError: no identity of the evaluation set has two faces that are larger than the native mean.
    """
    params = read_params()
    benchmark = read_faces(paths.BENCHMARK, ["face_id", "identity", "split", "width", "height"])
    size = round(pc.mean(benchmark["height"]).as_py()), round(pc.mean(benchmark["width"]).as_py())
    native = benchmark.filter(pc.not_equal(benchmark["split"], "train"))
    hr = _hr_faces(params.twin.faces, *size)
    sides = native["identity"].to_pylist(), native["split"].to_pylist()
    pairs = counterparts(sides, hr["identity"].to_pylist(), params.seed)
    played, playing = np.array(pairs, int).reshape(-1, 2).T
    faces = track(hr.take(playing).to_pylist(), "shrinking HR faces")
    rows = [_shrunk(face, twin_of, size) for face, twin_of in zip(faces, native.take(played).to_pylist(), strict=True)]
    twin = pa.Table.from_pylist(rows, FACE_SCHEMA)
    if not twin["identity"].drop_null().length():
        what = f"no identity of '{params.twin.faces}' has two faces of at least {size[1]} x {size[0]} px"
        raise BenchmarkError(what, where=f"{paths.PARAMS}: twin.faces", remedy="name an evaluation set of HR faces")
    write_faces(twin, paths.TWIN)
    _report(native, twin, size, params.twin.faces)


def _hr_faces(test_set: str, height: int, width: int) -> pa.Table:
    """The faces of a mounted set that are there and no smaller than this, px, in the order of face_id."""
    faces = read_faces(paths.mounted(test_set)).sort_by("face_id")
    large = pc.and_(pc.greater_equal(faces["height"], height), pc.greater_equal(faces["width"], width))
    is_missing = pc.is_valid(pc.map_lookup(faces["attributes"], "missing", "first"))
    return faces.filter(pc.and_not(large, is_missing))


def _shrunk(face: dict, native: dict, size: tuple[int, int]) -> dict:
    """The row of an HR face that stands in for a native one; ``size`` is height and width, px."""
    image = decode(face["image"], where=f"face {face['face_id']}")
    small = bicubic(image, *size)
    landmarks = face["landmarks"]
    if landmarks is not None:
        landmarks = (np.array(landmarks) * np.tile([size[1] / image.shape[1], size[0] / image.shape[0]], 5)).tolist()
    attributes = dict(face["attributes"] or []) | {"native_face_id": native["face_id"], "hr_face_id": face["face_id"]}
    return face | {
        "face_id": face_id(small, f"twin:{face['face_id']}"),
        "image": encode_png(small),
        "width": size[1],
        "height": size[0],
        "identity": None if native["split"] == "distractor" else face["identity"],
        "landmarks": landmarks,
        "split": native["split"],
        "attributes": list(attributes.items()),
    }


def _report(native: pa.Table, twin: pa.Table, size: tuple[int, int], test_set: str) -> None:
    """Says how much of the native benchmark the HR faces suffice for."""
    counts = [
        f"{len(twin['identity'].drop_null().unique())} of {len(native['identity'].drop_null().unique())} identities"
    ]
    for split in ("probe", "gallery", "distractor"):
        made, all_of_them = (pc.sum(pc.equal(table["split"], split)).as_py() for table in (twin, native))
        counts.append(f"{split} {made} of {all_of_them}")
    print(f"twin of the native benchmark, {size[1]} x {size[0]} px: {', '.join(counts)}")
    if twin.num_rows < native.num_rows:
        print(f"twin: '{test_set}' has no more HR faces; compare it with the same faces of the benchmark")
