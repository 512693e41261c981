"""The embeddings of a sample of faces by a model, for the comparison of samples."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lrfr.core.scoring import comparable
from lrfr.faces import read_faces
from lrfr.images import Images
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import embed_faces, faces_of
from lrfr.nn.model_file import Model, read_model
from lrfr.parallel import cores
from lrfr.progress import track
from lrfr.quality.face_sample import FaceSample


@dataclass(frozen=True)
class EmbeddedFaces:
    """``embedding`` (N, D) as the model's metric compares it, and ``quality`` (N,), None where it predicts none."""

    embedding: np.ndarray
    quality: np.ndarray | None


def read_for_comparison(folder: Path, threads: int | None = None) -> Model:
    """Reads a model; ``threads`` are torch's, one per core where None.

    Raises:
        TrainingError: there is none.
    """
    make_deterministic(0, threads or cores())
    return read_model(folder)


def embed_sample(model: Model, sample: FaceSample) -> EmbeddedFaces:
    """Embeds faces in the sample's order. The model finds the landmarks itself, as it has to of faces that arrive.

    Raises:
        ImageError: an image cannot be decoded.
        EmbeddingError: an embedding is not finite.
    """
    rows = read_faces(sample.path, ["face_id", "attributes", "landmarks"]).take(sample.rows)
    batches = faces_of(rows, Images(sample.path, sample.rows), with_landmarks=False)
    arrays = embed_faces(model, track(batches, f"embed {sample.path.stem}", unit="batch"))
    quality = arrays.get("quality")
    return EmbeddedFaces(
        as_compared(arrays["embedding"], model, sample.path), None if quality is None else quality.astype(float)
    )


def as_compared(embedding: np.ndarray, model: Model, where: Path) -> np.ndarray:
    """Embeddings (N, D) as the model's metric compares them, float64.

    Raises:
        EmbeddingError: one is not finite.
    """
    return comparable(embedding, model.facts.metric, f"{where}:", np.arange(len(embedding)))
