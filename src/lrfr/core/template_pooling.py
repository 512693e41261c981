"""Templates: several images of one person, grouped by media, enrolled as one vector; and the scores of their pairs."""

from collections.abc import Iterator

import numpy as np

from lrfr.core.inputs import Called, embeddings, is_tensor, on_host, present
from lrfr.core.scoring import check_metric
from lrfr.errors import EmbeddingError, unknown_name

NORMS = ("keep", "unit")
"""Whether an image counts by its embedding's norm, or every image alike. Public flags of one name mean either."""

BLOCK = 512
"""Images aggregated at once, about: what the processor's cache holds."""

PAIRS, PAIRS_ON_DEVICE = 128, 2**16
"""Pairs scored at once: for the same reason, and to keep a GPU busy."""

CANCELLED = 1e-6
"""A template whose norm is below this share of its media's norms is rounding noise, not a direction."""


def templates(
    embedding: np.ndarray,
    template: np.ndarray,
    media: np.ndarray,
    norm: str = "keep",
    missing: np.ndarray | None = None,
    called: Called | None = None,
    weight: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Aggregates images to templates (IJB-B, IJB-C): the mean within a media id, the sum over media, L2-normalised.

    Sums are taken in float64; the order of the rows changes nothing but their last digits.

    Args:
        embedding: (N, D) float, one row per image; read in blocks, so a memory-mapped array will do.
        template: (N,) ids of the templates, integers or strings.
        media: (N,) ids of the media (a still image or a video) within the template, integers or strings.
        norm: ``keep`` takes the embeddings as they are, ``unit`` L2-normalises each image's first.
        missing: (N,) bool, images without a face or that could not be read; they are left out.
        called: what the user calls a template, by its id, for errors.
        weight: (N,) float above 0, what each image's embedding is multiplied by, behind ``norm``, before means are
            taken: the detector's score, in insightface's evaluation. None: all alike.

    Returns:
        The templates' ids (T,), ascending, and their vectors (T, D) float32 of length 1; a template of which every
        image is missing is a row of zeros.

    Raises:
        EmbeddingError: lengths that differ, a value that is not finite, a zero vector under ``unit``, or a template
            whose images cancel out.
    """
    if norm not in NORMS:
        raise unknown_name("norm", norm, NORMS)
    embedding, template, media = embeddings(embedding, "image"), np.asarray(template), np.asarray(media)
    for name, column in (("template", template), ("media", media)):
        if column.shape != (len(embedding),):
            raise EmbeddingError(f"{name} ids {column.shape} and embeddings {embedding.shape} differ in length")
    ids, row = np.unique(template, return_inverse=True)
    kinds, medium = np.unique(media, return_inverse=True)
    key = row * len(kinds) + medium
    order = np.flatnonzero(present(missing, embedding, "image"))
    order = order[np.argsort(key[order], kind="stable")]
    vectors = np.zeros((len(ids), embedding.shape[1]), np.float32)
    for rows in _blocks(order, row[order]):
        starts = _starts(row[rows])
        of_block = row[rows[starts]]
        images = _images(embedding, rows, norm)
        if weight is not None:
            images = images * weight[rows, None]
        vectors[of_block] = _aggregated(images, key[rows], starts, ids[of_block], called)
    return ids, vectors


def pair_scores(vectors, left, right, metric: str = "cosine", missing=None) -> np.ndarray:
    """Scores pairs of vectors, the higher the more alike, in blocks: memory is that of the inputs and the scores.

    Each pair is summed by itself, in single precision, so equal vectors give equal scores wherever they stand.

    Args:
        vectors: (T, D) float, templates or embeddings; a tensor stays on its device, and scores are computed there.
        left: (M,) rows of ``vectors``, from 0.
        right: (M,) rows of ``vectors``.
        metric: ``cosine``, or ``euclidean`` (minus the squared distance of the vectors as they are).
        missing: (T,) bool, vectors that stand for no face; for ``templates`` those are ``~vectors.any(axis=1)``.

    Returns:
        (M,) float32 scores; minus infinity where a side is missing.

    Raises:
        EmbeddingError: a shape, a row that does not exist, a value that is not finite, or a zero vector under cosine
            that is not said to be missing.
    """
    check_metric(metric)
    vectors, left, right = embeddings(vectors, "vector"), np.asarray(left), np.asarray(right)
    for name, rows in (("left", left), ("right", right)):
        _check_rows(name, rows, left.shape, len(vectors))
    there = present(missing, vectors, "vector")
    if not there.all():
        scores, number = np.full(len(left), -np.inf, np.float32), np.cumsum(there) - 1
        if len(pairs := np.flatnonzero(there[left] & there[right])):
            scores[pairs] = pair_scores(vectors[there], number[left[pairs]], number[right[pairs]], metric)
        return scores
    vectors = _comparable(vectors, metric)
    scores, size = np.empty(len(left), np.float32), PAIRS_ON_DEVICE if is_tensor(vectors) else PAIRS
    for start in range(0, len(left), size):
        pairs = slice(start, start + size)
        one, other = vectors[left[pairs]], vectors[right[pairs]]
        scores[pairs] = _products(one, other) if metric == "cosine" else -_products(one - other, one - other)
    return scores


def _blocks(order: np.ndarray, template: np.ndarray) -> Iterator[np.ndarray]:
    """Cuts ``order`` (rows sorted by ``template``) into blocks of about ``BLOCK`` rows, each of whole templates."""
    if not len(order):
        return
    first = _starts(template)
    cuts = first[np.unique(np.searchsorted(first, np.arange(0, first[-1] + 1, BLOCK)))]
    yield from np.split(order, cuts[1:])


def _aggregated(
    images: np.ndarray, medium: np.ndarray, starts: np.ndarray, ids: np.ndarray, called: Called | None
) -> np.ndarray:
    """The vectors (T, D) of whole templates, whose first rows among ``images`` (B, D) are ``starts`` (T,)."""
    first = _starts(medium)
    means = np.add.reduceat(images, first, axis=0) / np.diff(first, append=len(images))[:, None]
    of_template = np.searchsorted(first, starts)
    sums = np.add.reduceat(means, of_template, axis=0)
    length, whole = np.linalg.norm(sums, axis=1), np.add.reduceat(np.linalg.norm(means, axis=1), of_template)
    lost = np.flatnonzero(length <= CANCELLED * whole)
    if len(lost):
        what = f"the images of a template cancel out or are zero: its norm is {length[lost[0]]:.3g}"
        which = ids[lost[0]] if called is None else called(ids[lost[0]])
        raise EmbeddingError(what, where=f"template {which}", remedy="look at its images")
    return sums / length[:, None]


def _starts(values: np.ndarray) -> np.ndarray:
    """Where each run of equal values starts."""
    return np.flatnonzero(np.r_[True, values[1:] != values[:-1]])


def _images(embedding: np.ndarray, rows: np.ndarray, norm: str) -> np.ndarray:
    """The rows (B, D) in float64, checked, and of length 1 if ``norm`` says so."""
    images = embedding[rows].astype(np.float64)
    length = np.linalg.norm(images, axis=1, keepdims=True)
    faults = [("is not finite", ~np.isfinite(length))]
    if norm == "unit":
        faults.append(("is zero: it has no direction", length == 0))
    for fault, bad in faults:
        if bad.any():
            remedy = "say that the image is missing, or embed it again"
            raise EmbeddingError(f"an embedding {fault}", where=f"row {rows[bad[:, 0]].min()}", remedy=remedy)
    return images / length if norm == "unit" else images


def _check_rows(name: str, rows: np.ndarray, shape: tuple[int, ...], vectors: int) -> None:
    if rows.shape != shape or rows.ndim != 1 or rows.dtype.kind not in "iu":
        what = f"{name} rows are {rows.dtype} {rows.shape}; whole numbers (M,) are needed on both sides"
        raise EmbeddingError(what)
    if len(rows) and (rows.min() < 0 or rows.max() >= vectors):
        outside = np.flatnonzero((rows < 0) | (rows >= vectors))
        what = f"{len(outside)} {name} rows do not exist among {vectors} vectors"
        raise EmbeddingError(what, where=f"pair {outside[0]}: row {rows[outside[0]]}")


def _comparable(vectors, metric: str):
    """The vectors (T, D) in single precision, as the metric compares them: of length 1 under cosine."""
    vectors = vectors.float() if is_tensor(vectors) else vectors.astype(np.float32, copy=False)
    # lengths in double precision: vectors of one direction then become one vector, however long they are
    if is_tensor(vectors):
        square = (vectors.double() ** 2).sum(1)
    else:
        square = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    most = np.finfo(np.float32).max
    for fault, bad in (("not finite, or too large", ~(square < most)), ("zero: they have no cosine", square == 0)):
        rows = np.flatnonzero(on_host(bad))
        if len(rows) and (metric == "cosine" or not fault.startswith("zero")):
            remedy = "say which vectors are missing, by the argument missing, or look at the model"
            raise EmbeddingError(f"{len(rows)} vectors are {fault}", where=f"vector row {rows[0]}", remedy=remedy)
    if metric == "euclidean":
        return vectors
    length = (square**0.5)[:, None]
    if is_tensor(vectors):
        return (vectors / length).float()
    return np.divide(vectors, length, out=np.empty_like(vectors), casting="same_kind")


def _products(one, other) -> np.ndarray:
    """The inner products (B,) of the rows of two (B, D)."""
    return (one * other).sum(1).cpu().numpy() if is_tensor(one) else np.einsum("nd,nd->n", one, other)
