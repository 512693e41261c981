"""label-errors: which labels a trained model doubts. A person runs it; as a stage it would make data flow back."""

from collections import Counter
from itertools import chain

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import unknown_name
from lrfr.faces import numbered, read_faces, with_rows
from lrfr.files import write_csv
from lrfr.images import Images
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import BATCH, embed_faces, faces_of
from lrfr.nn.model_file import read_model
from lrfr.progress import track
from lrfr.quality.label_errors import not_a_face, wrong_identity

LabelError = tuple[str, str, float, str]  # face_id, kind, error_probability, suggested identity

COLUMNS = ("face_id", "kind", "error_probability", "suggested")
KINDS = ("wrong_identity", "not_a_face")
NEEDED = ["face_id", "identity", "attributes", "landmarks"]
CALLED = {"not_face": 0, "unrecognizable": 0, "unverified": -1}  # the reasons that verdicts give, or the lack of them


def run(model: str | None) -> None:
    """Writes data/review/label_errors.csv: face_id, kind (wrong_identity or not_a_face), error_probability,
    suggested identity.

    The likeliest errors come first; above 0.5 something else is likelier than what the label says. What people called
    no face is evidence, and is not listed.

    Args:
        model: a run, or a backbone; the first backbone when None. The model of a run has learnt the labels of the
            training half with their errors, and doubts them less.

    Raises:
        ParameterError: there is no such model.
        FaceTableError: nothing was curated yet.
        TrainingError: the model was not trained yet.
    """
    params = read_params()
    name = model or next(iter(params.backbones))
    if name not in (*params.methods, *params.backbones):
        raise unknown_name("model", name, [*params.methods, *params.backbones], "--model")
    kept, doubted, is_face = _verified()
    faces = pa.concat_tables([kept, doubted])
    make_deterministic(0, params.threads)
    asked = read_model(paths.model(name) if name in params.methods else paths.pretrained(name))
    batches = chain(
        faces_of(kept, Images(paths.CURATED_NATIVE), with_landmarks=False),
        faces_of(doubted, Images(paths.EXCLUDED, doubted["row"].to_numpy()), with_landmarks=False),
    )
    count = -(-len(kept) // BATCH) - (-len(doubted) // BATCH)
    embedding = embed_faces(asked, track(batches, "embedding", count, "batch"))["embedding"]
    rows = _label_errors(faces, embedding, is_face)
    cells = ((face_id, kind, f"{share:.6f}", suggested) for face_id, kind, share, suggested in rows)
    write_csv(paths.LABEL_ERRORS, COLUMNS, cells)
    likely = Counter(kind for _, kind, error_probability, _ in rows if error_probability > 0.5)
    found = ", ".join(f"{kind} {likely[kind]:,}" for kind in KINDS)
    print(f"of {len(faces):,} faces more likely wrong than right: {found}")
    print(f"{paths.LABEL_ERRORS} lists them; next: lrfr review --labeller NAME --order label-errors")


def _verified() -> tuple[pa.Table, pa.Table, np.ndarray]:
    """The native faces whose picture is sound, those kept and those excluded, each with its ``row``; and what verdicts
    (N,) call each: 1 a face, 0 none, -1 unknown."""
    kept, aside = (with_rows(read_faces(path, NEEDED)) for path in (paths.CURATED_NATIVE, paths.EXCLUDED))
    attributes = [dict(pairs or []) for pairs in aside["attributes"].to_pylist()]
    called = [CALLED.get(found["reason"]) if found.get("collection") != "auxiliary" else None for found in attributes]
    doubted = aside.filter(pa.array([call is not None for call in called], pa.bool_()))
    calls = [call for call in called if call is not None]
    return kept, doubted, np.array([1] * len(kept) + calls)


def _label_errors(faces: pa.Table, embedding: np.ndarray, is_face: np.ndarray) -> list[LabelError]:
    """The likely label errors of faces that were not called none, the greatest error_probability first."""
    ids = faces["face_id"].to_pylist()
    people, identity = numbered(faces["identity"])
    named = wrong_identity(embedding, np.where(is_face == 0, -1, identity))
    clutter = not_a_face(embedding, is_face)
    rows: list[LabelError] = []
    for row in np.flatnonzero(is_face != 0):
        if not np.isnan(named.error_probability[row]):
            rows.append((ids[row], KINDS[0], float(named.error_probability[row]), people[named.suggested[row]]))
        if not np.isnan(clutter[row]):
            rows.append((ids[row], KINDS[1], float(clutter[row]), ""))
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))
