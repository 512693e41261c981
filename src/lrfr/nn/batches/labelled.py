"""Face tables as training data. Every sample's randomness comes from its own seed, so that order, number of workers
and interruptions change nothing."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch.utils.data import DataLoader, Dataset

from lrfr.errors import FaceTableError, LrfrError
from lrfr.faces import LANDMARK_SCHEMA, read_faces, read_table
from lrfr.images import Images
from lrfr.lifetime import end_with_parent
from lrfr.nn.batches.alignment import AlignedFaces, Alignment, landmarks_of
from lrfr.nn.batches.augmentation import SOME, Augmentation
from lrfr.nn.batches.augmentation_settings import AugmentationSettings
from lrfr.nn.batches.images import FaceImages, in_order
from lrfr.nn.batches.order import Key, MixedOrder
from lrfr.nn.compute import one_blas_thread
from lrfr.nn.resolution import Interpolation
from lrfr.nn.training.task import Batch, Faces

Degrade = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Made = dict[str, tuple[torch.Tensor, torch.Tensor]]


class TrainingFaces(Protocol):
    """One collection of faces, as a training wants it.

    Attributes:
        images: the faces as they are, for validation.
        labels: what is learnt of each (N, ...): the number of its identity (N,), or where its landmarks are (N, 10).
    """

    images: FaceImages
    labels: np.ndarray

    def __len__(self) -> int:
        """The number of faces."""
        ...

    def training_batch(self, keys: list[Key]) -> tuple[torch.Tensor, torch.Tensor]:
        """What training sees of the faces: RGB (B, H, W, 3), uint8, and the labels (B, ...) of what is seen."""
        ...


class LabelledFaces:
    """Faces with the numbers of their identities.

    Args:
        images: the faces.
        labels: (N,) int64.
        augmentation: of the image at the network's size, in training.
        degrade: of the image as captured, in training; nothing when None.
        alignment: of the image before that, in training; nothing when None.
    """

    def __init__(
        self,
        images: FaceImages,
        labels: np.ndarray,
        augmentation: Augmentation | None = None,
        degrade: Degrade | None = None,
        alignment: AlignedFaces | None = None,
    ) -> None:
        self.images, self.labels = images, labels
        self._augmentation, self._degrade, self._alignment = augmentation, degrade, alignment

    def __len__(self) -> int:
        """The number of faces."""
        return len(self.labels)

    def training_batch(self, keys: list[Key]) -> tuple[torch.Tensor, torch.Tensor]:
        """What training sees of the faces: RGB (B, H, W, 3), uint8, degraded and augmented, and labels (B,)."""
        with one_blas_thread():
            images = [self._resized(*key) for key in keys]
        if self._augmentation is not None:  # after all are decoded: in turn, each throws the other out of the caches
            images = [self._augmentation(image, seed) for image, (_, seed) in zip(images, keys, strict=True)]
        labels = self.labels[[row for row, _ in keys]]
        return torch.from_numpy(np.stack(images)), torch.from_numpy(labels)

    def _resized(self, row: int, seed: int) -> np.ndarray:
        pixels = self.images.captured(row)
        if self._alignment is not None:
            pixels = self._alignment(pixels, row, np.random.default_rng((seed, 2)))
        if self._degrade is not None:
            pixels = self._degrade(pixels, np.random.default_rng((seed, 1)))
        return self.images.resized(pixels)


class _Batches(Dataset):
    """The batches of several collections, by the keys of an update."""

    def __init__(self, collections: Mapping[str, TrainingFaces]) -> None:
        self._collections = collections

    def __getitem__(self, index: dict[str, list[Key]]) -> Made | LrfrError:
        try:
            return {name: self._collections[name].training_batch(keys) for name, keys in index.items()}
        except LrfrError as error:
            return error  # raised by another process, it would arrive with a traceback in its message


def training_batches(
    collections: Mapping[str, TrainingFaces],
    order: MixedOrder,
    workers: int = 0,
    device: torch.device | str = "cpu",
) -> Iterator[Batch]:
    """The batches that ``order`` asks for, one for each of its updates, on ``device``.

    They are decoded, degraded and augmented in this process or ahead of it by ``workers`` processes, with the same
    result, and travel to the device as uint8.

    Raises:
        ImageError: a face cannot be decoded.
    """
    device = torch.device(device)
    loader = DataLoader(
        _Batches(collections),
        sampler=order,
        batch_size=None,  # an order's item is a whole batch
        num_workers=workers,
        collate_fn=_as_made,
        pin_memory=device.type == "cuda",
        worker_init_fn=_begin_worker,
        generator=torch.Generator(),  # the loop's own is left alone
    )
    for made in loader:
        if isinstance(made, LrfrError):
            raise made
        yield {name: _on(device, *parts) for name, parts in made.items()}


def validation_batches(faces: TrainingFaces, batch_size: int, device: torch.device | str = "cpu") -> Iterator[Faces]:
    """All faces once, in the table's order, as the deployed model sees them, on ``device``."""
    start = 0
    for images in in_order(faces.images, len(faces), batch_size):
        labels = torch.from_numpy(faces.labels[start : start + len(images)])
        yield Faces(images.to(device), labels.to(device))
        start += len(images)


def labelled(
    path: Path,
    size: tuple[int, int],
    degrade: Degrade | None = None,
    alignment: Alignment | None = None,
    interpolation: Interpolation = "bilinear",
    augmentation: AugmentationSettings | None = SOME,
) -> tuple[LabelledFaces, LabelledFaces | None, int]:
    """The train and validation rows of a stored face table, resized to ``size``, and the number of train identities.

    Classes are the train identities in alphabetical order. Without validation rows the second is None.

    Args:
        path: a face table.
        size: height and width, px.
        degrade: what happens to a train face, as captured, given randomness of its own.
        alignment: how faces are aligned before that, validation faces too; None where they stay as cropped.
        interpolation: by which faces are resized.
        augmentation: how train faces are varied at the network's size; not at all where None.

    Raises:
        FaceTableError: the table is missing, or is no face table; or faces are to be aligned, and none has landmarks.
    """
    faces, images = read_faces(path, ["face_id", "identity", "split"]), Images(path)
    located = _located(alignment.located, faces) if alignment else []
    splits = np.array(faces.column("split").to_pylist())
    identities = np.array(faces.column("identity").to_pylist(), dtype=object)
    names = sorted(set(identities[splits == "train"]))
    number = {name: label for label, name in enumerate(names)}

    def rows(split: str, augmentation: Augmentation | None = None, degrade: Degrade | None = None) -> LabelledFaces:
        chosen = np.flatnonzero(splits == split)
        labels = np.array([number[identities[row]] for row in chosen], dtype=np.int64)
        aligned = _aligned(alignment, located, chosen) if alignment else None
        seen = FaceImages(images.select(chosen), size, aligned, interpolation)
        return LabelledFaces(seen, labels, augmentation, degrade, aligned)

    validation = rows("validation") if (splits == "validation").any() else None
    varied = Augmentation(augmentation) if augmentation else None
    return rows("train", varied, degrade), validation, len(names)


def _located(path: Path, faces: pa.Table) -> list[list[float] | None]:
    """The landmarks of faces from their own table, in the order of the faces.

    Raises:
        FaceTableError: the table is missing, is that of other faces, or no train face has landmarks: all of them would
            be centred by a fixed crop, and nothing aligned.
    """
    table = read_table(path, LANDMARK_SCHEMA)
    if not table["face_id"].equals(faces["face_id"]):
        raise FaceTableError("these are the landmarks of other faces", where=path, remedy="lrfr locate-landmarks")
    trains = table["landmarks"].filter(pc.equal(faces["split"], "train"))
    if len(trains) and trains.null_count == len(trains):
        what = f"none of {len(trains):,} faces that are to be aligned has landmarks"
        remedy = "train the landmark network on sharper faces (lrfr train-landmarks), or set `presentation: as_cropped`"
        raise FaceTableError(what, where=path, remedy=remedy)
    return table["landmarks"].to_pylist()


def _aligned(alignment: Alignment, located: list[list[float] | None], rows: np.ndarray) -> AlignedFaces:
    points = landmarks_of([located[row] for row in rows.tolist()])
    return AlignedFaces(alignment.presentation, points, alignment.tight_crops)


def _on(device: torch.device, images: torch.Tensor, labels: torch.Tensor) -> Faces:
    """Faces on a device, channels last in memory; pinned memory is copied while this process goes on."""
    images = images.to(device, non_blocking=True).permute(0, 3, 1, 2)
    return Faces(images.float().div_(255), labels.to(device, non_blocking=True))


def _as_made(batch: Any) -> Any:
    return batch


def _begin_worker(worker: int) -> None:
    cv2.setNumThreads(0)  # workers are what runs side by side
    # Ctrl-C, and a scheduler's request to stop, reach every process; the one that trains decides when workers end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # not on every system
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        Thread(target=_end_when_the_parent_says_so, args=[os.getppid()], daemon=True).start()
    end_with_parent()  # after the signals were blocked: its thread must not take them either


def _end_when_the_parent_says_so(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
