"""embed: every face of the benchmark that is tested on, through one method's model."""

import numpy as np

from lrfr import paths
from lrfr.faces import read_faces
from lrfr.files import atomic_path
from lrfr.nn.embedding import embed_faces
from lrfr.nn.model_file import read_model

TESTED = ("probe", "gallery", "distractor")


def run(name: str) -> None:
    """Writes data/embeddings/<method>.npz: face_id (N,), embedding (N, D) float32."""
    embedder, _ = read_model(paths.model(name))
    faces = read_faces(paths.BENCHMARK)
    faces = faces.filter(np.isin(faces["split"].to_pylist(), TESTED))
    embedding = embed_faces(embedder, faces)
    with atomic_path(paths.embeddings(name)) as temporary, temporary.open("wb") as file:
        np.savez(file, face_id=np.array(faces["face_id"].to_pylist()), embedding=embedding)
