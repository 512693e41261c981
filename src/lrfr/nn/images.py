"""Face tables as tensors."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader, Dataset

from lrfr.faces import decode
from lrfr.nn.backbones import to_square


class FaceImages(Dataset):
    """The faces of a table, resized to a square, as RGB tensors (3, S, S), values 0..1.

    Args:
        faces: rows of a face table.
        size: S, px.
        augment: what happens to an image (S, S, 3), uint8, given a seed; nothing when None.
    """

    def __init__(
        self, faces: pa.Table, size: int, augment: Callable[[np.ndarray, int], np.ndarray] | None = None
    ) -> None:
        self._images = faces.column("image").to_pylist()
        self._ids = faces.column("face_id").to_pylist()
        self._size = size
        self._augment = augment

    def __len__(self) -> int:
        """The number of faces."""
        return len(self._images)

    def __getitem__(self, index: tuple[int, int]) -> torch.Tensor:
        """One face; ``index`` is its row and the seed of its augmentation."""
        row, seed = index
        image = _to_tensor(decode(self._images[row], f"face {self._ids[row]}"))
        image = to_square(image[None], self._size)[0]
        if self._augment is None:
            return image
        pixels = (image.permute(1, 2, 0) * 255).round().byte().numpy()
        return _to_tensor(self._augment(np.ascontiguousarray(pixels), seed))


def _to_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255


def in_order(faces: Dataset, rows: int, batch_size: int) -> DataLoader:
    """The first ``rows`` faces once, in the table's order."""
    keys = [(row, 0) for row in range(rows)]
    batches = [keys[start : start + batch_size] for start in range(0, rows, batch_size)]
    return DataLoader(faces, batch_sampler=batches)  # pyrefly: ignore
