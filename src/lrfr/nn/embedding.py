"""Embedding faces, and the renditions of them that protocols ask for, with a trained model."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import torch

from lrfr.core.resampling import rendition
from lrfr.faces import decode
from lrfr.nn.backbones import Embedder, to_square
from lrfr.nn.compute import device

BATCH = 128

FULL = "full"  # the image as it is


@torch.inference_mode()
def embed_faces(
    embedder: Embedder, faces: Iterable[pa.RecordBatch], renditions: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Embeds faces batch by batch; an image is decoded once, whatever the number of its renditions.

    Args:
        embedder: on any device; it is moved to the best there is.
        faces: rows of a face table with ``face_id``, ``image`` and ``attributes``, as many at a time as fit the memory.
        renditions: names that :func:`lrfr.core.resampling.rendition` knows.

    Returns:
        ``face_id`` (N,) and ``missing`` (N,) bool; ``embedding`` and one ``embedding_<rendition>`` for each rendition,
        (N, D) float32. A face with the attribute ``missing`` has an embedding of zeros.

    Raises:
        ImageError: an image cannot be decoded.
    """
    embedder = embedder.to(device(), memory_format=torch.channels_last).eval()  # pyrefly: ignore
    blocks: dict[str, list[np.ndarray]] = {name: [] for name in _columns(renditions)}
    for batch in faces:
        ids = batch.column("face_id").to_pylist()
        missing = np.array(["missing" in dict(pairs or []) for pairs in batch.column("attributes").to_pylist()], bool)
        images = [
            decode(image, f"face {face}")
            for image, face, absent in zip(batch.column("image").to_pylist(), ids, missing, strict=True)
            if not absent
        ]
        blocks["face_id"].append(np.array(ids, dtype=str))
        blocks["missing"].append(missing)
        for column, name in _columns(renditions).items():
            if name is not None:
                embedding = np.zeros((len(ids), embedder.architecture.embedding_dim), np.float32)
                embedding[~missing] = _embed(embedder, images, name)
                blocks[column].append(embedding)
    return {column: np.concatenate(parts) for column, parts in blocks.items()}


def _columns(renditions: Sequence[str]) -> dict[str, str | None]:
    """The arrays of the result, and the rendition in each."""
    embeddings = {"embedding": FULL} | {f"embedding_{name}": name for name in renditions}
    return {"face_id": None, "missing": None, **embeddings}


def _embed(embedder: Embedder, images: list[np.ndarray], name: str) -> np.ndarray:
    """The embeddings (B, D) of one rendition of images (H, W, 3), uint8, of any sizes."""
    size, embeddings = embedder.architecture.input_size, [np.empty((0, embedder.architecture.embedding_dim))]
    for start in range(0, len(images), BATCH):
        made = (image if name == FULL else rendition(image, name) for image in images[start : start + BATCH])
        squares = torch.cat([to_square(_tensor(image), size) for image in made])
        embeddings.append(embedder(squares.to(device())).cpu().numpy())
    return np.concatenate(embeddings)


def _tensor(image: np.ndarray) -> torch.Tensor:
    """An image (H, W, 3), uint8, as (1, 3, H, W), values 0..1."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))[None]).float() / 255
