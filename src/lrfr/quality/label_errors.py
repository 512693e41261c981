"""Likely label errors, by what a model makes of the faces: wrong identities, and what is no face.

No face is judged by itself: each figure comes from the other faces alone.
"""

from dataclasses import dataclass

import numpy as np

BLOCK = 1024  # faces at once: the memory does not grow with their number
SCALES = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
SAMPLE = 2000  # faces that the scale is chosen on
FOLDS = 5


@dataclass(frozen=True)
class IdentityErrors:
    """Likely errors of identities: above 0.5 another identity is likelier than the given one.

    Attributes:
        error_probability: (N,) 0..1; NaN for faces without an identity and for an identity's only face.
        suggested: (N,) the likeliest other identity; -1 where there is no error_probability.
    """

    error_probability: np.ndarray
    suggested: np.ndarray


def wrong_identity(embedding: np.ndarray, identity: np.ndarray) -> IdentityErrors:
    """How likely the identity of each face is wrong.

    The probability of an identity is the softmax of the cosine similarity to the mean of its other faces (leave one
    out), scaled by the factor of ``SCALES`` under which the given identities are likeliest: a weak model is doubted
    more. The error probability is the likeliest other identity's share of the probability that it and the given one
    have together. Its rank is that of the difference of the two similarities, whatever else the face is like; the
    difference
    of the probabilities themselves (cleanlab's normalised margin) is small wherever a face is like many, and finds
    fewer (benchmarks/label_errors.md).

    Args:
        embedding: (N, D).
        identity: (N,) numbers from 0; -1 is unknown.
    """
    error_probability, suggested = np.full(len(identity), np.nan), np.full(len(identity), -1)
    sizes = np.bincount(identity[identity >= 0], minlength=1)
    rows = np.flatnonzero((identity >= 0) & (sizes[identity] > 1))
    people, given = np.unique(identity[rows], return_inverse=True)
    if len(people) < 2:
        return IdentityErrors(error_probability, suggested)
    faces = _unit(embedding[rows])
    sums = np.zeros((len(people), faces.shape[1]))
    np.add.at(sums, given, faces)
    sample = np.random.default_rng(0).permutation(len(rows))[:SAMPLE]
    scale = _likeliest_scale(_others(faces, given, sums, sample), given[sample])
    for start in range(0, len(rows), BLOCK):
        part = np.arange(start, min(start + BLOCK, len(rows)))
        similarity = _others(faces, given, sums, part)
        own = similarity[np.arange(len(part)), given[part]]
        similarity[np.arange(len(part)), given[part]] = -np.inf
        error_probability[rows[part]] = 1 / (1 + np.exp(scale * (own - similarity.max(axis=1))))
        suggested[rows[part]] = people[similarity.argmax(axis=1)]
    return IdentityErrors(error_probability, suggested)


def not_a_face(embedding: np.ndarray, is_face: np.ndarray) -> np.ndarray:
    """How likely each face is none: the probability of a logistic regression that has not seen it.

    It sees the direction and the logarithm of the length of the embedding, which tells of the quality too (Q. Meng and
    others, MagFace, CVPR 2021). Faces and non-faces weigh the same, however few there are of either. What people
    judged is predicted by cross-validation, the rest from all that they judged.

    Args:
        embedding: (N, D).
        is_face: (N,) 1 for a verified face, 0 for what was called none, -1 for what nobody judged.

    Returns:
        (N,) 0..1; NaN everywhere when there are fewer than ``FOLDS`` of either.
    """
    error_probability = np.full(len(is_face), np.nan)
    if min(np.sum(is_face == 1), np.sum(is_face == 0)) < FOLDS:
        return error_probability
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    length = np.log(np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), np.finfo(np.float32).tiny))
    seen = np.hstack([_unit(embedding), length])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000))
    judged = np.flatnonzero(is_face >= 0)
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    none = 1 - is_face[judged]
    error_probability[judged] = cross_val_predict(model, seen[judged], none, cv=parts, method="predict_proba")[:, 1]
    if len(judged) < len(is_face):
        error_probability[is_face < 0] = model.fit(seen[judged], none).predict_proba(seen[is_face < 0])[:, 1]
    return error_probability


def _others(faces: np.ndarray, given: np.ndarray, sums: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The cosine similarity (P, K) of some faces to the mean of each identity's faces, without the face itself."""
    chosen = faces[part]
    similarity = chosen @ _unit(sums).T
    similarity[np.arange(len(part)), given[part]] = np.sum(chosen * _unit(sums[given[part]] - chosen), axis=1)
    return similarity


def _likeliest_scale(similarity: np.ndarray, given: np.ndarray) -> float:
    """The scale under which the identities (P,) are likeliest, given the similarities (P, K)."""
    rows = np.arange(len(given))
    return max(SCALES, key=lambda scale: _log_softmax(scale * similarity)[rows, given].sum())


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows (N, D) of length one; zeros stay zeros."""
    rows = rows.astype(np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float64).tiny)
