"""A sample of a face table in numbers: statistics of its pictures, a row at a time, however many faces there are."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from lrfr.core.image_statistics import STATISTICS, describe
from lrfr.decoding import decode
from lrfr.detector import confidence
from lrfr.errors import BenchmarkError
from lrfr.faces import read_faces
from lrfr.images import Images
from lrfr.parallel import parallel_map

SCORE = "score"  # how sure the detector is that it is a face, 0..1
BLOCK = 128  # faces that a process looks at at a time
LEAST = 20  # faces; below, a distance tells more about chance than about the faces

Columns = dict[str, np.ndarray]  # of statistics, (N,) float64 each, NaN where there is none


@dataclass(frozen=True)
class FaceSample:
    """Some faces of a table, in the order of what they are drawn by.

    Attributes:
        path: the table.
        rows: (N,) in the table.
        face_ids: (N,).
        drawn_by: (N,) by which they are drawn.
    """

    path: Path
    rows: np.ndarray
    face_ids: np.ndarray
    drawn_by: np.ndarray

    def __len__(self) -> int:
        """N."""
        return len(self.rows)

    def first(self, count: int, seed: int) -> "FaceSample":
        """At most so many of them, drawn anew."""
        return self._take(_drawn(self.drawn_by, count, seed))

    def _take(self, chosen: np.ndarray) -> "FaceSample":
        return FaceSample(self.path, self.rows[chosen], self.face_ids[chosen], self.drawn_by[chosen])


def sample_faces(
    path: Path, splits: Collection[str] | None, count: int, seed: int, drawn_by: str | None = None
) -> FaceSample:
    """Draws at most ``count`` faces of a table, whatever the order of its rows: a face's own hash decides.

    Args:
        path: a face table; faces whose picture is missing are left out.
        splits: of which they are; of all and of none where None.
        count: how many.
        seed: of the draw.
        drawn_by: the attribute whose hash decides; the ``face_id`` where None, and where a face has no such attribute.

    Raises:
        FaceTableError: the table is missing, or misses a column.
        BenchmarkError: fewer than ``LEAST`` faces.
    """
    table = read_faces(path, ["face_id", "split", "attributes"])
    missing = pc.is_valid(pc.map_lookup(table["attributes"], "missing", "first")).to_numpy()
    wanted = ~missing if splits is None else ~missing & np.isin(_texts(table["split"]), list(splits))
    rows = np.flatnonzero(wanted)
    if len(rows) < LEAST:
        raise BenchmarkError(f"{len(rows)} faces are too few to compare; {LEAST} are needed", where=path)
    ids = keys = _texts(table["face_id"])[rows]
    if drawn_by is not None:
        named = _texts(pc.map_lookup(table["attributes"], drawn_by, "first"))[rows]
        keys = np.where(named == "", ids, named)
    return FaceSample(path, rows, ids, keys)._take(_drawn(keys, count, seed))


def _drawn(ids: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The places (n,) of at most ``count`` ids (N,), in the order of the ids; which ones, hashes of them decide."""
    order = np.argsort(ids, kind="stable")
    if len(ids) <= count:
        return order
    hashes = [hashlib.sha256(f"{seed}\n{face}".encode()).digest()[:8] for face in ids[order].tolist()]
    return order[np.sort(np.argsort(hashes, kind="stable")[:count])]


def statistics_of(sample: FaceSample, with_confidence: bool) -> Columns:
    """The statistics of faces in the sample's order, a block at a time on every core.

    Args:
        sample: the faces.
        with_confidence: whether the detector looks at each crop once more, for the column ``score``; else it is the
            score that the table has.

    Raises:
        ImageError: a face's image cannot be decoded.
    """
    order = np.argsort(sample.rows, kind="stable")  # as they lie on the disk
    count = len(order)
    work = partial(_described, with_confidence=with_confidence)
    blocks = parallel_map(
        work, _blocks(sample, order), f"look at {sample.path.stem}", "block", total=-(-count // BLOCK)
    )
    values = np.empty((count, len(STATISTICS) + 1))
    start = 0
    for block in blocks:
        values[order[start : start + len(block)]] = block
        start += len(block)
    columns = dict(zip((*STATISTICS, SCORE), values.T.copy(), strict=True))
    if not with_confidence:
        score = read_faces(sample.path, [SCORE])[SCORE].cast("float64").to_numpy(zero_copy_only=False)
        columns[SCORE] = score[sample.rows].astype(float)
    return columns


Block = tuple[str, list[str], list[bytes]]  # where, ids, encoded images


def _blocks(sample: FaceSample, order: np.ndarray) -> Iterator[Block]:
    images = Images(sample.path, sample.rows[order]).batches(BLOCK)
    for start, encoded in zip(range(0, len(order), BLOCK), images, strict=True):
        yield str(sample.path), sample.face_ids[order[start : start + BLOCK]].tolist(), encoded


def _described(block: Block, with_confidence: bool) -> np.ndarray:
    """The statistics (B, S + 1) of a block, the last the detector's confidence."""
    where, ids, encoded = block
    images = [decode(image, where=f"{where}, face {face}") for face, image in zip(ids, encoded, strict=True)]
    described = np.array([list(describe(image).values()) for image in images])
    score = confidence(images) if with_confidence else np.full(len(images), np.nan)
    return np.column_stack([described, score])


def _texts(column) -> np.ndarray:
    """A column of text as an array (N,), null as no text."""
    return np.array(column.fill_null("").to_pylist(), np.str_)
