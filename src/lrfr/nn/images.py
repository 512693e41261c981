"""Face tables as tensors."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader, Dataset

from lrfr.faces import decode
from lrfr.nn.backbones import to_square

Key = tuple[int, int]  # a row, and the seed of its augmentation
Augment = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Crops:
    """Decoded faces of any sizes, one after the other: a twentieth of what the tensors made of them take.

    Attributes:
        pixels: uint8, the faces (H, W, 3) flattened.
        sizes: height and width of each, px.
    """

    pixels: torch.Tensor
    sizes: list[tuple[int, int]]


class FaceImages(Dataset):
    """The faces of a table, resized to a square, as RGB tensors (3, S, S), values 0..1.

    The encoded images lie in one piece of memory, which the processes of a ``DataLoader`` share.

    Args:
        faces: rows of a face table.
        size: S, px.
        augment: what happens to an image (S, S, 3), uint8, given a seed; nothing when None.
    """

    def __init__(self, faces: pa.Table, size: int, augment: Augment | None = None) -> None:
        images = faces.column("image").cast(pa.large_binary()).combine_chunks()
        _, offsets, encoded = images.buffers()
        self._offsets = np.frombuffer(offsets, np.int64)[images.offset : images.offset + len(images) + 1]
        self._encoded = np.frombuffer(encoded or b"", np.uint8)
        self._ids = faces.column("face_id")
        self._size = size
        self._augment = augment

    def __len__(self) -> int:
        """The number of faces."""
        return len(self._ids)

    def __getitem__(self, index: Key) -> torch.Tensor:
        """One face (3, S, S)."""
        return self.tensors(self.__getitems__([index]))[0]

    def __getitems__(self, keys: list[Key]) -> Crops:
        """A batch of faces as they are captured or, augmented, of the size that the network takes."""
        faces = [self._face(*key) for key in keys]
        flat = np.concatenate([face.ravel() for face in faces])
        return Crops(torch.from_numpy(flat), [face.shape[:2] for face in faces])

    def tensors(self, crops: Crops) -> torch.Tensor:
        """The batch (B, 3, S, S) that the network sees."""
        batch = np.empty((len(crops.sizes), 3, self._size, self._size), np.float32)
        pixels, start = crops.pixels.numpy(), 0
        for square, (height, width) in zip(batch, crops.sizes, strict=True):
            end = start + height * width * 3
            _fill(square, pixels[start:end].reshape(height, width, 3))
            start = end
        return torch.from_numpy(batch)

    def _face(self, row: int, seed: int) -> np.ndarray:
        encoded = self._encoded[self._offsets[row] : self._offsets[row + 1]].tobytes()
        pixels = decode(encoded, self._ids[row])
        if self._augment is None:
            return pixels
        square = np.empty((3, self._size, self._size), np.float32)
        _fill(square, pixels)
        return self._augment(np.rint(square.transpose(1, 2, 0) * 255).astype(np.uint8, order="C"), seed)


def _fill(square: np.ndarray, pixels: np.ndarray) -> None:
    """Fills a square (3, S, S), 0..1, with an image (H, W, 3), uint8, resized as :func:`to_square` does."""
    (height, width, _), side = pixels.shape, square.shape[1]
    if max(height, width) > side or height == width == side:
        planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])).float() / 255
        square[:] = to_square(planes, side)[0].numpy()
        return
    # Two small matrix products take a tenth of the time of torch's call.
    planes = pixels.transpose(2, 0, 1).reshape(3 * height, width).astype(np.float32)
    widened = (planes @ _weights(width, side, 1 / 255).T).reshape(3, height, side)
    np.matmul(_weights(height, side), widened, out=square)


@lru_cache(maxsize=4096)
def _weights(length: int, side: int, scale: float = 1.0) -> np.ndarray:
    """What each of ``side`` pixels takes from each of ``length`` pixels in :func:`to_square`: (side, length)."""
    columns = torch.eye(length).view(length, 1, length, 1) * scale
    # Column by column in memory, as the product with its transpose reads it
    return np.asfortranarray(to_square(columns, side)[:, 0, :, 0].T.numpy())


class Faces(Protocol):
    """A dataset that makes whole batches, in two steps: in its own process, and in the one that trains."""

    def __getitems__(self, keys: list[Key]) -> Any:
        """What a process hands over."""

    def tensors(self, made: Any, /) -> Any:
        """What the network takes."""


def batches(faces: Faces, order: Iterable[list[Key]], workers: int = 0) -> Iterator[Any]:
    """The batches of faces that ``order`` asks for, decoded and augmented in this process or by ``workers``."""
    loader = DataLoader(faces, batch_sampler=order, collate_fn=_as_made, num_workers=workers)  # pyrefly: ignore
    return map(faces.tensors, loader)


def _as_made(batch: Any) -> Any:
    return batch


def in_order(faces: Faces, rows: int, batch_size: int) -> Iterator[Any]:
    """The first ``rows`` faces once, in the table's order."""
    keys = [(row, 0) for row in range(rows)]
    return batches(faces, [keys[start : start + batch_size] for start in range(0, rows, batch_size)])
