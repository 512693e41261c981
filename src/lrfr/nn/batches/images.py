"""Face tables as tensors."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.images import Images
from lrfr.nn.batches.alignment import AlignedFaces
from lrfr.nn.resolution import Interpolation, to_size

BLOCK = 256  # encoded images that lie in one piece of memory


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
    """Faces resized, as RGB tensors (3, H, W), values 0..1.

    For access in random order the encoded images lie in memory, in a few blocks that the processes of a ``DataLoader``
    share.

    Args:
        images: the faces.
        size: H and W, px.
        alignment: how they are aligned; None where they stay as cropped.
        interpolation: by which they are resized.
    """

    def __init__(
        self,
        images: Images,
        size: tuple[int, int],
        alignment: AlignedFaces | None = None,
        interpolation: Interpolation = "bilinear",
    ) -> None:
        self._images = images
        self._blocks: list[bytes] = []
        self._ends: list[np.ndarray] = []
        for batch in images.batches(BLOCK):
            self._blocks.append(b"".join(batch))
            self._ends.append(np.cumsum([0, *map(len, batch)]))
        self._size, self._alignment, self._interpolation = size, alignment, interpolation

    def __len__(self) -> int:
        """The number of faces."""
        return len(self._images)

    def __getitem__(self, index: int) -> torch.Tensor:
        """One face (3, H, W)."""
        return self.tensors(self.__getitems__([index]))[0]

    def __getitems__(self, rows: list[int]) -> Crops:
        """A batch of faces, not yet resized: what processes hand over."""
        faces = [self._presented(row) for row in rows]
        flat = np.concatenate([face.ravel() for face in faces])
        return Crops(torch.from_numpy(flat), [face.shape[:2] for face in faces])

    def tensors(self, crops: Crops) -> torch.Tensor:
        """The batch (B, 3, H, W) that the network sees."""
        batch = np.empty((len(crops.sizes), 3, *self._size), np.float32)
        pixels, start = crops.pixels.numpy(), 0
        for planes, (height, width) in zip(batch, crops.sizes, strict=True):
            end = start + height * width * 3
            _fill(planes, pixels[start:end].reshape(height, width, 3), self._interpolation)
            start = end
        return torch.from_numpy(batch)

    def captured(self, row: int) -> np.ndarray:
        """One face as it was captured, RGB (h, w, 3), uint8.

        Raises:
            ImageError: it cannot be decoded.
        """
        block, place = divmod(row, BLOCK)
        start, end = self._ends[block][place : place + 2]
        try:
            return decode(self._blocks[block][start:end])
        except ImageError:
            return self._images.decoded(row)  # raises again, and names the face

    def _presented(self, row: int) -> np.ndarray:
        pixels = self.captured(row)
        return pixels if self._alignment is None else self._alignment.presented(pixels, row)

    def resized(self, pixels: np.ndarray) -> np.ndarray:
        """An image (h, w, 3), uint8, at the network's size (H, W, 3), uint8."""
        if pixels.shape[:2] == self._size:
            return pixels
        if self._interpolation == "bicubic":  # torch's, of uint8, cuts off between rows and columns too
            planes = np.empty((3, *self._size), np.float32)
            _fill(planes, pixels, self._interpolation)
            return np.ascontiguousarray(np.rint(planes.transpose(1, 2, 0) * 255), np.uint8)
        resized = to_size(torch.from_numpy(pixels).permute(2, 0, 1)[None], self._size, self._interpolation)
        return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())


def _fill(planes: np.ndarray, pixels: np.ndarray, interpolation: Interpolation) -> None:
    """Fills planes (3, H, W), 0..1, with an image (h, w, 3), uint8, resized as :func:`to_size` does."""
    (height, width, _), (tall, wide) = pixels.shape, planes.shape[1:]
    if height > tall or width > wide or (height, width) == (tall, wide):
        tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])).float() / 255
        planes[:] = to_size(tensor, (tall, wide), interpolation)[0].numpy()
        return
    # Two small matrix products take a tenth of the time of torch's call.
    rows = pixels.transpose(2, 0, 1).reshape(3 * height, width).astype(np.float32)
    widened = (rows @ _weights(width, wide, interpolation, 1 / 255).T).reshape(3, height, wide)
    np.matmul(_weights(height, tall, interpolation), widened, out=planes)
    if interpolation == "bicubic":
        np.clip(planes, 0, 1, out=planes)


@lru_cache(maxsize=4096)
def _weights(length: int, side: int, interpolation: Interpolation, scale: float = 1.0) -> np.ndarray:
    """What each of ``side`` pixels takes from each of ``length`` pixels in :func:`to_size`: (side, length)."""
    columns = torch.eye(length).view(length, 1, length, 1) * scale
    # Column by column in memory, as the product with its transpose reads it
    weights = F.interpolate(columns, (side, side), mode=interpolation, antialias=True)  # not cut off: some are below 0
    return np.asfortranarray(weights[:, 0, :, 0].T.numpy())


def batches(images: FaceImages, order: Iterable[list[int]], workers: int = 0) -> Iterator[torch.Tensor]:
    """The batches (B, 3, H, W) of rows that ``order`` asks for, decoded in this process or by ``workers``."""
    loader = DataLoader(images, batch_sampler=order, collate_fn=_as_made, num_workers=workers)  # pyrefly: ignore
    return map(images.tensors, loader)


def _as_made(crops: Crops) -> Crops:
    return crops


def in_order(images: FaceImages, rows: int, batch_size: int) -> Iterator[torch.Tensor]:
    """The first ``rows`` faces once, in the table's order."""
    return batches(images, [list(range(start, min(start + batch_size, rows))) for start in range(0, rows, batch_size)])
