"""What an identification protocol is given, checked: embeddings, identities and which rows are missing.

Embeddings are numpy arrays, or tensors that stay on their device; both are told apart by what they can do, not by
their class, because this package does not import torch.
"""

from collections.abc import Callable

import numpy as np

from lrfr.errors import EmbeddingError

UNKNOWN = -1
"""The identity of a distractor: a gallery face that nobody could name."""


Called = Callable[[int], object]
"""What the user calls the identity of a number; asked for errors alone."""


def as_called(number: int, called: Called | None) -> object:
    """What an identity is called; its number where nobody gave it a name."""
    return number if called is None else called(int(number))


def is_tensor(rows: object) -> bool:
    """Whether ``rows`` is a tensor, and not a numpy array."""
    return hasattr(rows, "new_tensor")


def on_host(rows):
    """A tensor as a float64 array; an array as it is."""
    return rows.detach().double().cpu().numpy() if is_tensor(rows) else rows


def embeddings(rows, name: str):
    """``rows`` (N, D) if they have the shape and type of embeddings; memory-mapped ones stay on disk.

    Args:
        rows: an array, a tensor or nested lists.
        name: what the rows are called in errors, such as ``probe``.

    Raises:
        EmbeddingError: not (N, D) with N > 0 and D > 0, or not real numbers.
    """
    rows = rows.detach() if is_tensor(rows) else np.asanyarray(rows)
    if isinstance(rows, np.ndarray) and rows.dtype.kind not in "fiu":
        what = f"{name} embeddings have the type {rows.dtype}"
        raise EmbeddingError(what, remedy="give real numbers, such as float32")
    if rows.ndim != 2 or not rows.shape[0] or not rows.shape[1]:
        raise EmbeddingError(f"{name} embeddings have the shape {tuple(rows.shape)}; (N, D) with N > 0 is needed")
    return rows


def identities(values, rows, name: str, unknown: bool = False) -> np.ndarray:
    """``values`` (N,) as int64 if there is one identity for each of ``rows`` (N, D).

    Args:
        values: whole numbers from 0.
        rows: the embeddings that they belong to.
        name: what the rows are called in errors.
        unknown: whether ``UNKNOWN`` is allowed.

    Raises:
        EmbeddingError: not one identity per embedding, not whole numbers, or a negative one.
    """
    values = np.asarray(values.cpu() if is_tensor(values) else values)
    if values.shape != (len(rows),):
        what = f"there must be exactly one identity per embedding: {name} has {values.shape} for {len(rows)}"
        raise EmbeddingError(what)
    if values.dtype.kind not in "iu":
        remedy = "number them, as numpy.unique(names, return_inverse=True)[1] does"
        raise EmbeddingError(f"{name} identities are {values.dtype}; whole numbers are needed", remedy=remedy)
    wrong = np.flatnonzero(values < (UNKNOWN if unknown else 0))
    if len(wrong):
        where = f"{name} row {wrong[0]}: identity {values[wrong[0]]}"
        only = "marks a distractor" if unknown else "is for distractors, which only a gallery may hold"
        remedy = f"identities count from 0; {UNKNOWN} {only}"
        raise EmbeddingError(f"{len(wrong)} {name} identities are negative", where=where, remedy=remedy)
    return values.astype(np.int64)


def present(missing, rows, name: str) -> np.ndarray:
    """Which of ``rows`` (N, D) can be scored: (N,) bool, the opposite of ``missing``; all where that is None.

    Raises:
        EmbeddingError: not one bool per embedding.
    """
    if missing is None:
        return np.ones(len(rows), bool)
    missing = np.asarray(missing.cpu() if is_tensor(missing) else missing)
    if missing.shape != (len(rows),) or missing.dtype != bool:
        what = f"{name}_missing is {missing.dtype} of the shape {missing.shape}; one bool per embedding is needed"
        raise EmbeddingError(what)
    return ~missing


def same_width(**rows) -> None:
    """Raises an EmbeddingError unless all embeddings, given by name, have as many columns."""
    widths = {name: given.shape[1] for name, given in rows.items()}
    if len(set(widths.values())) > 1:
        listed = ", ".join(f"{name} {width}" for name, width in widths.items())
        raise EmbeddingError(f"the embeddings' widths differ: {listed}", remedy="embed all of them with one model")


def check_mates(
    probe_identity: np.ndarray, gallery_identity: np.ndarray, name: str = "probe", called: Called | None = None
) -> None:
    """Raises an EmbeddingError, which says how an identity is ``called``, unless every probe's is in the gallery."""
    lonely = np.flatnonzero(~np.isin(probe_identity, gallery_identity[gallery_identity != UNKNOWN]))
    if len(lonely):
        raise EmbeddingError(
            f"{len(lonely)} {name} rows have no mate in the gallery",
            where=f"{name} row {lonely[0]}: identity {as_called(probe_identity[lonely[0]], called)}",
            remedy="every probe's identity must be in the gallery; others are the unmated probes of an open set",
        )
