"""Whom a face resembles most: exactly, in memory; from a million people on by an index, whose best are scored exactly.

A person's template is the mean of their embeddings, each of length 1 under the metric cosine, as in
:mod:`lrfr.core.gallery_templates`, which calibrates by the same.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core.inputs import embeddings
from lrfr.core.scoring import comparable
from lrfr.errors import GalleryError
from lrfr.files import atomic_path
from lrfr.progress import track

INDEXED = 1_000_000  # people from whom on an index is made
SCORES = 2**25  # held at once: 134 MB
ROWS = 2**16  # templates that are indexed, or embeddings that are made comparable, at once
BEAM = 256  # candidates that the index keeps while it searches; see docs/serving.md for what is found so
MOST = 100  # people who are asked for at once


def templates(embedding: np.ndarray, person: np.ndarray, count: int, metric: str) -> np.ndarray:
    """The templates (P, D), float32; of length 1 under cosine.

    Args:
        embedding: (N, D) float32.
        person: (N,) int64, 0 to ``count`` - 1; each has a row.
        count: P.
        metric: ``cosine`` or ``euclidean``.

    Raises:
        EmbeddingError: an embedding that is not finite, or zero under cosine.
        GalleryError: a person's embeddings average to nothing.
    """
    sums = np.zeros((count, embedding.shape[1]), np.float32)
    for start in range(0, len(embedding), ROWS):
        part = slice(start, start + ROWS)
        rows = comparable(embedding[part], metric, "gallery", np.arange(start, start + len(embedding[part])))
        np.add.at(sums, person[part], rows.astype(np.float32))
    sums /= np.bincount(person, minlength=count)[:, None].astype(np.float32)
    if metric == "cosine":
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        if length.min(initial=1) < 1e-6:
            raise GalleryError("a person's photos contradict each other: their embeddings average to nothing")
        sums /= length
    return sums


def nearest(probe: np.ndarray, template: np.ndarray, metric: str, most: int, index: Any = None):
    """The people whom each probe resembles most.

    Args:
        probe: (B, D).
        template: (P, D) of :func:`templates`.
        metric: ``cosine`` or ``euclidean``.
        most: how many people, at least 1.
        index: of :func:`open_index`; None searches exactly.

    Returns:
        People (B, K) int64, the most alike first, and their scores (B, K) float64; K is ``most``, or P if that is less.
    """
    probe = comparable(embeddings(probe, "probe"), metric, "probe", np.arange(len(probe)))
    most = min(most, len(template), MOST)
    people = _exact(probe, template, metric, most) if index is None else _by_index(probe, index, most)
    near = template[people].astype(np.float64)
    differ = None if metric == "cosine" else probe[:, None] - near
    scores = np.einsum("bd,bkd->bk", probe, near) if differ is None else -(differ**2).sum(axis=2)
    order = np.lexsort((people, -scores))
    return np.take_along_axis(people, order, 1), np.take_along_axis(scores, order, 1)


def _exact(probe: np.ndarray, template: np.ndarray, metric: str, most: int) -> np.ndarray:
    people = np.empty((len(probe), most), np.int64)
    step = max(1, SCORES // len(template))
    penalty = 0 if metric == "cosine" else np.einsum("pd,pd->p", template, template) / 2
    for start in range(0, len(probe), step):
        scores = probe[start : start + step].astype(np.float32) @ template.T - penalty
        people[start : start + step] = np.argpartition(-scores, most - 1, axis=1)[:, :most]
    return people


def _by_index(probe: np.ndarray, index: Any, most: int) -> np.ndarray:
    found = index.search(np.ascontiguousarray(probe, np.float32), most)
    return np.asarray(found.keys).astype(np.int64).reshape(len(probe), most)


def open_index(path: Path, template: np.ndarray, metric: str) -> Any:
    """The index of a million templates and more, by USearch (HNSW); made where it is not there yet, with progress.

    Args:
        path: where it is kept.
        template: (P, D).
        metric: ``cosine`` or ``euclidean``.
    """
    from usearch.index import Index

    if path.is_file():
        index = Index.restore(str(path))
        if index is not None and (len(index), index.ndim) == template.shape:
            index.expansion_search = BEAM
            return index
    kind = "ip" if metric == "cosine" else "l2sq"
    index = Index(ndim=template.shape[1], metric=kind, dtype="f16", expansion_search=BEAM)
    for start in track(range(0, len(template), ROWS), "making the index", unit="part"):
        part = template[start : start + ROWS]
        index.add(np.arange(start, start + len(part)), part)
    with atomic_path(path) as temporary:
        index.save(str(temporary))
    return index
