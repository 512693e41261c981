"""One side of a comparison of faces: a face table as its pictures show it, or a release's reference, which has none."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lrfr.core.image_statistics import STATISTICS
from lrfr.core.two_samples import sorted_rows
from lrfr.errors import BenchmarkError, EmbeddingError, FaceTableError
from lrfr.faces import IMAGE
from lrfr.quality.face_sample import LEAST, SCORE, Columns, sample_faces, statistics_of

if TYPE_CHECKING:
    from lrfr.nn.model_file import Model

EMBEDDED = 1000  # faces at most: the kernel grows with their square
EMBEDDING, QUALITY = "embedding", "quality"  # columns of a release's reference


@dataclass(frozen=True)
class ComparedFaces:
    """Statistics of N faces, and what a model makes of some of them.

    Attributes:
        columns: (N,) of each statistic, and the detector's ``score``.
        embedding: (n, D) as the model's metric compares them; None without a model.
        quality: (n,); None without a model that predicts it.
    """

    columns: Columns
    embedding: np.ndarray | None = None
    quality: np.ndarray | None = None

    def __len__(self) -> int:
        """N."""
        return len(self.columns[SCORE])


def read_compared(path: Path, count: int, seed: int, model: "Model | None") -> ComparedFaces:
    """Reads at most ``count`` faces of a face table, or of a release's ``reference.parquet``.

    Raises:
        FaceTableError: it is missing, or has other columns.
        BenchmarkError: fewer than 20 faces.
        ImageError: a picture cannot be decoded.
        EmbeddingError: a reference has embeddings of another model, or an embedding is not finite.
    """
    if path.is_file() and not {"face_id", IMAGE} & set(_names(path)):
        return _stored(path, count, seed, model)
    faces = sample_faces(path, None, count, seed)
    columns = statistics_of(faces, with_confidence=False)
    if model is None:
        return ComparedFaces(columns)
    from lrfr.quality.embedded import embed_sample

    made = embed_sample(model, faces.first(EMBEDDED, seed))
    return ComparedFaces(columns, made.embedding, made.quality)


def _names(path: Path) -> list[str]:
    try:
        with pq.ParquetFile(path) as file:
            return file.schema_arrow.names
    except (pa.ArrowException, OSError) as error:
        remedy = "give a face table, or a release's reference.parquet"
        raise FaceTableError(f"not a readable face table: {error}", where=path, remedy=remedy) from error


def _stored(path: Path, count: int, seed: int, model: "Model | None") -> ComparedFaces:
    """Some rows of a release's reference, which has no ids to draw by: the values decide the order."""
    has_quality = model is not None and model.embedder.predicts_quality
    wanted = [*STATISTICS, SCORE, *([EMBEDDING] if model else []), *([QUALITY] if has_quality else [])]
    lacking = [name for name in wanted if name not in _names(path)]
    if lacking:
        remedy = "give a face table, or the reference.parquet of a release that this version of lrfr made"
        raise FaceTableError(f"columns are missing: {', '.join(lacking)}", where=path, remedy=remedy)
    try:
        table = pq.read_table(path, columns=wanted)
        numbers = [name for name in wanted if name != EMBEDDING]
        values = np.column_stack([table[name].cast(pa.float64()).to_numpy() for name in numbers])
        vectors = np.array(table[EMBEDDING].to_pylist() if model else [[]] * len(table), float)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FaceTableError(
            f"not a release's reference: {error}", where=path, remedy="get the release again"
        ) from error
    if len(table) < LEAST:
        raise BenchmarkError(f"{len(table)} faces are too few to compare; {LEAST} are needed", where=path)
    rows = sorted_rows(np.column_stack([values, vectors]))
    rows = rows[np.random.default_rng(seed).permutation(len(rows))[:count]]
    side = ComparedFaces(dict(zip((*STATISTICS, SCORE), rows.T.copy(), strict=False)))
    if model is None:
        return side
    embedding = _of_this_model(rows[:EMBEDDED, len(numbers) :], model, path)
    return replace(side, embedding=embedding, quality=rows[:EMBEDDED, len(numbers) - 1] if has_quality else None)


def _of_this_model(embedding: np.ndarray, model: "Model", path: Path) -> np.ndarray:
    from lrfr.quality.embedded import as_compared

    expected = model.embedder.architecture.embedding_dim
    if embedding.shape[1] != expected:
        what = f"the reference's embeddings have {embedding.shape[1]} numbers, and the model's have {expected}"
        raise EmbeddingError(what, where=path, remedy="give the reference and the model of one release")
    return as_compared(embedding, model, path)
