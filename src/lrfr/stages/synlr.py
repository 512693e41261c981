"""synlr: the native benchmark once more, out of HR faces that are shrunk, to compare native and synthetic LR.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, Table 4: the same counts, the same partition, and every
HR face shrunk to the mean size of the native ones. Each face of the SynLR set names the native face that it stands in
for, so that where there are too few HR faces the native benchmark can be cut down to the same faces.
"""

from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.resampling import bicubic
from lrfr.core.synlr import counterparts, halves, training_counterparts
from lrfr.decoding import decode
from lrfr.errors import BenchmarkError
from lrfr.faces import encode_png, face_id, read_faces, with_rows, write_face_rows
from lrfr.images import Images
from lrfr.progress import track
from lrfr.test_sets import SynLR

BATCH = 64  # encoded HR faces in memory at a time


def run() -> None:
    """Writes data/synlr/faces.parquet, with the attributes ``native_face_id`` and ``hr_face_id``.

    Raises:
        BenchmarkError: no identity of the evaluation set has two faces that are larger than the native mean.
    """
    params = read_params()
    chosen = params.read("synlr", SynLR)
    test_set = chosen.faces
    benchmark = read_faces(paths.BENCHMARK, ["face_id", "identity", "split", "width", "height"])
    size = round(pc.mean(benchmark["height"]).as_py()), round(pc.mean(benchmark["width"]).as_py())
    native = benchmark if chosen.training else benchmark.filter(pc.not_equal(benchmark["split"], "train"))
    hr = _hr_faces(test_set, *size)
    played, playing = _pairs(native, hr["identity"].to_pylist(), params.seed)
    used, natives = hr.take(playing), native.take(played).to_pylist()
    named = [row["split"] in ("probe", "gallery") for row in natives]
    if not used["identity"].filter(pa.array(named, pa.bool_())).drop_null().length():
        what = f"no identity of '{test_set}' has two faces of at least {size[1]} x {size[0]} px"
        raise BenchmarkError(what, where=f"{paths.PARAMS}: synlr.faces", remedy="name an evaluation set of HR faces")
    images = chain.from_iterable(Images(paths.test_set(test_set), used["row"].to_numpy()).batches(BATCH))
    faces = track(used.drop_columns("row").to_pylist(), "shrinking HR faces")
    rows = (_shrunk(*known, size) for known in zip(faces, images, natives, strict=True))
    write_face_rows(rows, paths.SYNLR)
    _report(native, read_faces(paths.SYNLR, ["identity", "split"]), size, test_set)


def _pairs(native: pa.Table, hr: list[str | None], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the native faces that have a stand-in, and of the HR faces that are it; training faces last."""
    trains = pc.equal(native["split"], "train").to_numpy()
    train, tested = np.flatnonzero(trains), np.flatnonzero(~trains)
    n_train, n_tested = (len(native.take(rows)["identity"].drop_null().unique()) for rows in (train, tested))
    of_train, of_tested = halves(n_train, n_tested, hr, seed) if len(train) else (np.empty(0, int), np.arange(len(hr)))
    sides = native.take(tested)
    pairs = counterparts(
        (sides["identity"].to_pylist(), sides["split"].to_pylist()), [hr[row] for row in of_tested.tolist()], seed
    )
    learnt = training_counterparts(
        native.take(train)["identity"].to_pylist(), [hr[row] for row in of_train.tolist()], seed
    )
    (played, playing), (learning, teaching) = (np.array(some, int).reshape(-1, 2).T for some in (pairs, learnt))
    return np.append(tested[played], train[learning]), np.append(of_tested[playing], of_train[teaching])


def _hr_faces(test_set: str, height: int, width: int) -> pa.Table:
    """The faces of an imported set that are there and no smaller than this, px, in the order of face_id."""
    faces = with_rows(read_faces(paths.test_set(test_set))).sort_by("face_id")
    large = pc.and_(pc.greater_equal(faces["height"], height), pc.greater_equal(faces["width"], width))
    is_missing = pc.is_valid(pc.map_lookup(faces["attributes"], "missing", "first"))
    return faces.filter(pc.and_not(large, is_missing))


def _shrunk(face: dict, encoded: bytes, native: dict, size: tuple[int, int]) -> dict:
    """The row of an HR face that stands in for a native one; ``size`` is height and width, px."""
    image = decode(encoded, where=f"face {face['face_id']}")
    small = bicubic(image, *size)
    landmarks = face["landmarks"]
    if landmarks is not None:
        landmarks = (np.array(landmarks) * np.tile([size[1] / image.shape[1], size[0] / image.shape[0]], 5)).tolist()
    attributes = dict(face["attributes"] or []) | {"native_face_id": native["face_id"], "hr_face_id": face["face_id"]}
    return face | {
        "face_id": face_id(small, f"synlr:{face['face_id']}"),
        "image": encode_png(small),
        "width": size[1],
        "height": size[0],
        "identity": None if native["split"] == "distractor" else face["identity"],
        "landmarks": landmarks,
        "split": native["split"],
        "attributes": list(attributes.items()),
    }


def _report(native: pa.Table, synlr: pa.Table, size: tuple[int, int], test_set: str) -> None:
    """Says how much of the native benchmark the HR faces suffice for."""
    counts = [
        f"{len(synlr['identity'].drop_null().unique())} of {len(native['identity'].drop_null().unique())} identities"
    ]
    for split in ("probe", "gallery", "distractor", "train"):
        made, all_of_them = (pc.sum(pc.equal(table["split"], split)).as_py() for table in (synlr, native))
        counts += [f"{split} {made} of {all_of_them}"] if all_of_them or split != "train" else []
    print(f"synlr of the native benchmark, {size[1]} x {size[0]} px: {', '.join(counts)}")
    if synlr.num_rows < native.num_rows:
        print(f"synlr: '{test_set}' has no more HR faces; compare it with the same faces of the benchmark")
