"""How well `lrfr label-errors` finds label errors that were planted, beside the usual ways to look for them.

Run it in the project's root after `make repro`; nothing in the project is changed. Wrong identities: a share of the
verified named faces gets somebody else's name. Non-faces: half of what verification called no face counts as a verified
face again. Prints a Markdown table:

    python benchmarks/label_errors.py                # by the pretrained backbone, five draws
    python benchmarks/label_errors.py --model tc
"""

import argparse
import warnings
from collections.abc import Callable
from time import perf_counter

import numpy as np
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from lrfr import paths
from lrfr.config import read_params
from lrfr.faces import numbered, read_faces, with_rows
from lrfr.images import Images
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import embed_faces, faces_of
from lrfr.nn.model_file import read_model
from lrfr.quality.label_errors import FOLDS, not_a_face, wrong_identity

TOP = 0.01  # of the list: what somebody looks at first
RATES = (0.01, 0.05)  # of wrong identities
NEEDED = ["face_id", "identity", "score", "attributes", "landmarks"]

Suspect = Callable[[np.ndarray], np.ndarray]  # labels (N,) -> error_probabilities (N,), NaN where there is none


def judged_faces(model: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings (N, D), identities (N,; -1 unknown), detection scores (N,), and whether (N,) it is a verified face."""
    places = paths.CURATED_NATIVE, paths.EXCLUDED
    kept, aside = (with_rows(read_faces(path, NEEDED)) for path in places)
    reasons = [dict(known or []) for known in aside["attributes"].to_pylist()]
    is_none = [
        known.get("collection") != "auxiliary" and known["reason"] in ("not_face", "unrecognizable")
        for known in reasons
    ]
    tables = kept, aside.filter(is_none)
    make_deterministic(0, read_params().threads)
    asked = read_model(paths.model(model))
    batches = [
        faces_of(table, Images(path, table["row"].to_numpy()), with_landmarks=False)
        for table, path in zip(tables, places, strict=True)
    ]
    embedding = np.concatenate([embed_faces(asked, of)["embedding"] for of in batches])
    identity = np.concatenate([numbered(kept["identity"])[1], np.full(len(tables[1]), -1)])
    score = np.concatenate([table["score"].to_numpy() for table in tables])
    return embedding, identity, score, np.arange(len(identity)) < len(kept)


def renamed(identity: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """The identities (N,), of which a share of the known ones is somebody else's."""
    known = np.flatnonzero(identity >= 0)
    chosen = rng.choice(known, max(1, round(rate * len(known))), replace=False)
    wrong = identity.copy()
    for face in chosen:
        wrong[face] = rng.choice(np.setdiff1d(identity[known], identity[face]))
    return wrong


def cross_validated(embedding: np.ndarray, identity: np.ndarray) -> np.ndarray:
    """The way of cleanlab's tutorials: cross-validated logistic regression, one minus the normalised margin."""
    rows, error_probability = np.flatnonzero(identity >= 0), np.full(len(identity), np.nan)
    _, given = np.unique(identity[rows], return_inverse=True)
    parts = StratifiedKFold(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # identities with fewer faces than folds
        model = LogisticRegression(C=100.0, max_iter=100)
        probability = cross_val_predict(model, unit(embedding[rows]), given, cv=parts, method="predict_proba")
    error_probability[rows] = 1 - get_label_quality_scores(given, probability, method="normalized_margin")
    return error_probability


def cosines(embedding: np.ndarray, identity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each face's cosine (N,) to the mean of its identity's other faces, and the greatest to another identity's mean.

    NaN for faces without an identity, and for an identity's only face.
    """
    rows = np.flatnonzero(identity >= 0)
    _, given = np.unique(identity[rows], return_inverse=True)
    faces = unit(embedding[rows])
    sums = np.zeros((given.max() + 1, faces.shape[1]))
    np.add.at(sums, given, faces)
    similarity = faces @ unit(sums).T
    similarity[np.arange(len(rows)), given] = -np.inf
    own, other = np.full(len(identity), np.nan), np.full(len(identity), np.nan)
    others = sums[given] - faces
    several = np.bincount(given)[given] > 1
    own[rows[several]] = np.sum(faces * unit(others), axis=1)[several]
    other[rows[several]] = similarity.max(axis=1)[several]
    return own, other


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows (N, D) of length one; zeros stay zeros."""
    vectors = vectors.astype(float)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def row(what: str, how: str, suspect: Suspect, draws: list[tuple[np.ndarray, np.ndarray]]) -> str:
    """A row of the table: means over draws, each the labels that are shown (N,) and what was planted (N,)."""
    areas, precisions, start = [], [], perf_counter()
    for shown, planted in draws:
        error_probability = suspect(shown)
        judged = ~np.isnan(error_probability)
        areas.append(roc_auc_score(planted[judged], error_probability[judged]))
        first = np.argsort(-error_probability[judged], kind="stable")[: max(1, round(TOP * judged.sum()))]
        precisions.append(planted[judged][first].mean())
    seconds = (perf_counter() - start) / len(draws)
    spread = f"{np.mean(areas):.3f} ({min(areas):.3f} to {max(areas):.3f})"
    return f"| {what} | {how} | {spread} | {100 * np.mean(precisions):.0f} % | {seconds:.2f} |"


def wrong_names(embedding: np.ndarray, identity: np.ndarray, draws: int) -> None:
    """Prints the rows on wrong identities."""
    ways = {
        "lrfr label-errors": lambda labels: wrong_identity(embedding, labels).error_probability,
        "cosine to the identity's other faces": lambda labels: -cosines(embedding, labels)[0],
        "the same less the greatest to another identity": lambda labels: -np.subtract(*cosines(embedding, labels)),
        "cleanlab, cross-validated logistic regression": lambda labels: cross_validated(embedding, labels),
    }
    for rate in RATES:
        shown = [renamed(identity, rate, np.random.default_rng(seed)) for seed in range(draws)]
        planted = [(labels, labels != identity) for labels in shown]
        for how, suspect in ways.items():
            print(row(f"{rate:.0%} wrong identities", how, suspect, planted), flush=True)


def non_faces(embedding: np.ndarray, score: np.ndarray, verified: np.ndarray, draws: int) -> None:
    """Prints the rows on non-faces; what is still known to be none is evidence, and not looked for."""
    ways = {
        "lrfr label-errors": lambda is_face: not_a_face(embedding, is_face),
        "the detector's score": lambda is_face: 1 - score,
        "the embedding's length": lambda is_face: -np.linalg.norm(embedding, axis=1),
    }
    none = np.flatnonzero(~verified)
    planted = []
    for seed in range(draws):
        chosen = np.random.default_rng(seed).choice(none, len(none) // 2, replace=False)
        among = np.isin(np.arange(len(verified)), chosen)
        planted.append(((verified | among).astype(int), among))
    share = (len(none) // 2) / (verified.sum() + len(none) // 2)
    for how, suspect in ways.items():

        def listed(is_face: np.ndarray, suspect: Suspect = suspect) -> np.ndarray:
            return np.where(is_face == 1, suspect(is_face), np.nan)

        print(row(f"{share:.1%} non-faces", how, listed, planted), flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pretrained", help="whose embeddings: pretrained, or a method")
    parser.add_argument("--draws", type=int, default=5)
    chosen = parser.parse_args()
    embedding, identity, score, verified = judged_faces(chosen.model)
    none = int((~verified).sum())
    print(f"{verified.sum():,} verified faces, {(identity >= 0).sum():,} of them named, {none:,} non-faces\n")
    print(f"| planted | looked for by | AUC | of the first {TOP:.0%}, planted | s |\n|---|---|---|---:|---:|")
    wrong_names(embedding, identity, chosen.draws)
    if none // 2 >= FOLDS:  # fewer are not looked for
        non_faces(embedding, score, verified, chosen.draws)


if __name__ == "__main__":
    main()
