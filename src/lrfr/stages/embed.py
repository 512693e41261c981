"""embed: every face of the benchmark that is tested on, through one method's model."""

import numpy as np

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import unknown_name
from lrfr.faces import read_faces
from lrfr.files import atomic_path
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import embed_faces
from lrfr.nn.model_file import read_model

TESTED = ("probe", "gallery", "distractor")


def run(name: str) -> None:
    """Writes data/embeddings/<method>.npz: face_id (N,), embedding (N, D) float32."""
    params = read_params()
    if name not in params.methods:
        raise unknown_name("method", name, params.methods, "params.yaml: methods")
    make_deterministic(0, params.threads)
    embedder, _ = read_model(paths.model(name))
    faces = read_faces(paths.BENCHMARK)
    faces = faces.filter(np.isin(faces["split"].to_pylist(), TESTED))
    embedding = embed_faces(embedder, faces)
    with atomic_path(paths.embeddings(name)) as temporary, temporary.open("wb") as file:
        np.savez(file, face_id=np.array(faces["face_id"].to_pylist()), embedding=embedding)
