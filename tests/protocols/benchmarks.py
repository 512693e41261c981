"""Small test sets for the tests of the protocols: faces without images, and embeddings drawn around each identity."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from lrfr.faces import ENROLMENT_SCHEMA, FACE_SCHEMA, PAIR_SCHEMA
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import Options

OPTIONS = Options(bootstrap=50, metric="cosine", sides=[8, 16], widths=[20])
FACTS = {"metric": "cosine", "presentation": "as_cropped"}


def row(face_id: str, identity: str | None = None, split: str | None = None, **attributes: str) -> dict:
    """A row of a face table, 20 x 25 px; ``score`` and ``landmarks`` are columns, all else is an attribute."""
    columns = {name: attributes.pop(name) for name in ("score", "landmarks", "height") if name in attributes}
    known = {"face_id": face_id, "source": "test", "image": b"", "width": 20, "height": 25}
    return {**known, "identity": identity, "split": split, "attributes": list(attributes.items()), **columns}


def benchmark(
    rows: list[dict], pairs: Iterable[tuple[str, str, bool, int | None]] = (), enrolled: Iterable[tuple] = ()
) -> Benchmark:
    """A test set of these rows; pairs are (left, right, same, fold), enrolments (template, identity, role)."""
    tables = (
        pa.Table.from_pylist([dict(zip(schema.names, line, strict=True)) for line in lines], schema)
        for schema, lines in ((PAIR_SCHEMA, pairs), (ENROLMENT_SCHEMA, enrolled))
    )
    return Benchmark(pa.Table.from_pylist(rows, FACE_SCHEMA).drop_columns("image"), *tables)


def embed(
    tested: Benchmark, noise: float = 1.0, views: tuple[str, ...] = (), missing: Iterable[int] = (), seed: int = 0
) -> Embeddings:
    """Embeddings (N, 6) around a random centre for each identity; every view adds its own noise."""
    rng, number = np.random.default_rng(seed), tested.identity
    centres = rng.normal(size=(number.max() + 2, 6))
    base = np.where(number[:, None] < 0, rng.normal(size=(len(number), 6)), centres[number])
    arrays = {}
    for name in ("", *views):
        arrays[f"embedding_{name}" if name else "embedding"] = base + rng.normal(size=base.shape) * noise
    lost = np.isin(np.arange(len(number)), list(missing))
    arrays = {name: np.where(lost[:, None], 0, values).astype(np.float32) for name, values in arrays.items()}
    return Embeddings(arrays, np.arange(len(number)), lost, FACTS)


def cosines(embeddings: Embeddings, view: str = "full", other: str | None = None) -> np.ndarray:
    """Every pair's cosine (N, N), minus infinity where a face is missing: the naive way."""
    sides = []
    for name in (view, other or view):
        vectors = embeddings.of(name).astype(float)
        sides.append(vectors / np.where(embeddings.missing, 1, np.linalg.norm(vectors, axis=1))[:, None])
    lost = embeddings.missing[:, None] | embeddings.missing[None, :]
    return np.where(lost, -np.inf, np.round(sides[0] @ sides[1].T, 12))
