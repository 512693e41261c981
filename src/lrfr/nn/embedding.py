"""Embedding a face table with a trained model."""

import numpy as np
import pyarrow as pa
import torch

from lrfr.nn.backbones import Embedder
from lrfr.nn.compute import device
from lrfr.nn.images import FaceImages, in_order
from lrfr.progress import track

BATCH = 128


@torch.inference_mode()
def embed_faces(embedder: Embedder, faces: pa.Table) -> np.ndarray:
    """Embeddings (N, D) float32 of all faces of a table, in its order."""
    where = device()
    embedder = embedder.to(where, memory_format=torch.channels_last).eval()  # pyrefly: ignore
    batches = in_order(FaceImages(faces, embedder.architecture.input_size), len(faces), BATCH)
    rows = [embedder(images.to(where)).cpu().numpy() for images in track(batches, "embedding", unit="batch")]
    return np.concatenate(rows)
