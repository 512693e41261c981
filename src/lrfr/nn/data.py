"""Face tables as training data. Every sample's randomness comes from its own seed, so that order, number of workers
and interruptions change nothing."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import Dataset, Sampler

from lrfr.nn.augmentation import Augmentation
from lrfr.nn.images import Crops, FaceImages, Key


class LabelledFaces(Dataset):
    """Faces with the numbers of their identities, ``labels`` (N,) int64."""

    def __init__(self, images: FaceImages, labels: np.ndarray) -> None:
        self._images, self._labels = images, labels

    def __len__(self) -> int:
        """The number of faces."""
        return len(self._images)

    def __getitem__(self, index: Key) -> tuple[torch.Tensor, int]:
        """One face (3, S, S) and its label."""
        return self._images[index], int(self._labels[index[0]])

    def __getitems__(self, keys: list[Key]) -> tuple[Crops, torch.Tensor]:
        """A batch of faces and their labels (B,)."""
        return self._images.__getitems__(keys), torch.from_numpy(self._labels[[row for row, _ in keys]])

    def tensors(self, batch: tuple[Crops, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The batch (B, 3, S, S) that the network sees, and the labels."""
        crops, labels = batch
        return self._images.tensors(crops), labels


class BatchOrder(Sampler):
    """The batches of a whole training from any step on: each epoch is a permutation seeded by its number.

    Yields lists of (row, seed); the last rows of an epoch that fill no batch wait for another epoch.
    """

    def __init__(self, rows: int, batch_size: int, epochs: int, seed: int, first_step: int = 0) -> None:
        self.batch_size = min(batch_size, rows)
        self.steps_per_epoch = rows // self.batch_size
        self._rows, self._seed = rows, seed
        self._steps = range(first_step, epochs * self.steps_per_epoch)

    def __len__(self) -> int:
        """The number of batches that are left."""
        return len(self._steps)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Lists of (row, seed), one list per step."""
        for step in self._steps:
            epoch, place = divmod(step, self.steps_per_epoch)
            order = np.random.default_rng((self._seed, epoch)).permutation(self._rows)
            rows = order[place * self.batch_size : (place + 1) * self.batch_size]
            seeds = np.random.default_rng((self._seed, 1, step)).integers(2**31, size=len(rows))
            yield list(zip(rows.tolist(), seeds.tolist(), strict=True))


def labelled(faces: pa.Table, size: int) -> tuple[LabelledFaces, LabelledFaces | None, int]:
    """The train and validation rows of a face table, resized to ``size`` px, and the number of train identities.

    Classes are the train identities in alphabetical order. Without validation rows the second is None.
    """
    splits = np.array(faces.column("split").to_pylist())
    identities = np.array(faces.column("identity").to_pylist(), dtype=object)
    names = sorted(set(identities[splits == "train"]))
    number = {name: label for label, name in enumerate(names)}

    def rows(split: str, augment: Augmentation | None = None) -> LabelledFaces:
        chosen = np.flatnonzero(splits == split)
        labels = np.array([number[identities[row]] for row in chosen], dtype=np.int64)
        return LabelledFaces(FaceImages(faces.take(chosen), size, augment), labels)

    validation = rows("validation") if (splits == "validation").any() else None
    return rows("train", Augmentation()), validation, len(names)
