"""Embedding faces, and the views of them that protocols ask for, with a trained model.

On a processor an embedding depends on the images beside it in its batch by rounding alone (some 1e-6 of its length);
the same images in the same batches give the same bits, whatever the number of threads that decode.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa
import torch

from lrfr.config import Fusion
from lrfr.core.resampling import view
from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.images import Images
from lrfr.nn.compute import device
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.resolution import Interpolation, to_size
from lrfr.parallel import cores

BATCH = 128
AHEAD = 1  # batches that wait while the network computes

FULL = "full"  # the image as it is

Item = TypeVar("Item")
Result = TypeVar("Result")
Row = tuple[str, bytes | None]  # a face_id, and the encoded image; None where the face is missing


def embed_images(embedder: Embedder, images: Sequence[np.ndarray], fusion: Fusion = "none") -> np.ndarray:
    """Embeds images that are in memory.

    Args:
        embedder: on any device; it is moved to the best there is.
        images: each (H, W, 3) uint8, RGB, of any size, as :func:`lrfr.decoding.decode` gives them. Nobody can see that
            an image is BGR, as ``cv2.imread`` gives it: turn it by ``image[..., ::-1]``.
        fusion: a name that :func:`fuse` knows.

    Returns:
        (N, D) float32, not of unit length; (N, 2 D) for ``mirror_concat``.

    Raises:
        ImageError: an image is of another type or shape.
    """
    for number, image in enumerate(images):
        _refuse_what_is_no_picture(image, number)
    embedder = ready(embedder)
    size, interpolation = embedder.architecture.size, embedder.architecture.preprocessing.interpolation
    batches = prefetch(partial(to_input, size=size, interpolation=interpolation), _parted(images))
    return np.concatenate([_nothing(embedder, fusion), *(embed_inputs(embedder, batch, fusion) for batch in batches)])


def embed_faces(
    embedder: Embedder,
    faces: Iterable[Sequence[Row]],
    views: Sequence[str] = (),
    fusion: Fusion = "none",
) -> dict[str, np.ndarray]:
    """Embeds faces batch by batch; an image is decoded once, whatever the number of its views.

    Args:
        embedder: on any device; it is moved to the best there is.
        faces: batches of faces, as :func:`rows_of` gives them.
        views: names that :func:`lrfr.core.resampling.view` knows.
        fusion: a name that :func:`fuse` knows, for every view.

    Returns:
        ``face_id`` (N,) and ``missing`` (N,) bool; ``embedding`` and one ``embedding_<view>`` for each view,
        (N, D) float32, or (N, 2 D) for ``mirror_concat``. A face with the attribute ``missing`` has zeros.

    Raises:
        ImageError: an image cannot be decoded.
    """
    embedder = ready(embedder)
    names = {"embedding": FULL} | {f"embedding_{name}": name for name in views}
    face_ids: list[str] = []
    missing: list[bool] = []
    blocks = {column: [_nothing(embedder, fusion)] for column in names}
    fit = partial(_views, names=list(names.values()), architecture=embedder.architecture)
    for rows in prefetch(fit, faces):
        face_ids += [face for face, _ in rows]
        missing += [made is None for _, made in rows]
        for number, column in enumerate(names):
            present = [made[number] for _, made in rows if made is not None]
            block = np.zeros((len(rows), blocks[column][0].shape[1]), np.float32)
            block[[made is not None for _, made in rows]] = np.concatenate(
                [_nothing(embedder, fusion), *(embed_inputs(embedder, part, fusion) for part in _parted(present))]
            )
            blocks[column].append(block)
    embeddings = {column: np.concatenate(parts) for column, parts in blocks.items()}
    return {"face_id": np.array(face_ids, np.str_), "missing": np.array(missing, bool), **embeddings}


def rows_of(faces: pa.Table, images: Images) -> Iterator[list[Row]]:
    """The faces of a table in batches, each its face_id and its encoded image; None for a face that is missing.

    Args:
        faces: ``face_id`` and ``attributes``.
        images: theirs, in their order.
    """
    start = 0
    for batch in images.batches(BATCH):
        some = faces.slice(start, len(batch))
        columns = some["face_id"].to_pylist(), batch, some["attributes"].to_pylist()
        yield [
            (face, None if "missing" in dict(pairs or []) else image)
            for face, image, pairs in zip(*columns, strict=True)
        ]
        start += len(batch)


def ready(embedder: Embedder) -> Embedder:
    """The embedder on the best device that there is, to be evaluated."""
    return embedder.to(device(), memory_format=torch.channels_last).eval()  # pyrefly: ignore


def to_input(image: np.ndarray, size: tuple[int, int], interpolation: Interpolation = "bilinear") -> torch.Tensor:
    """An image (H, W, 3), uint8, as a network of that size takes it: (1, 3, height, width), values 0..1."""
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))[None]).float() / 255
    return to_size(planes, size, interpolation)


@torch.inference_mode()
def embed_inputs(embedder: Embedder, faces: Sequence[torch.Tensor], fusion: Fusion) -> np.ndarray:
    """The embeddings (B, D) of at most ``BATCH`` faces that :func:`to_input` made, by an embedder that is ready."""
    if not faces:
        return _nothing(embedder, fusion)
    return fuse(embedder, torch.cat(list(faces)).to(device()), fusion).cpu().numpy()


def fuse(embedder: Callable[[torch.Tensor], torch.Tensor], faces: torch.Tensor, fusion: Fusion) -> torch.Tensor:
    """The embeddings of faces (B, 3, H, W), each fused with that of its mirror image.

    - ``none``: of the face alone, (B, D).
    - ``mirror_sum``: the sum of both, (B, D), as insightface's evaluation has it (Deng et al., ArcFace, CVPR 2019).
      The average weighted by norms (Kim et al., AdaFace, CVPR 2022) has the same direction: the weights undo the
      normalisation.
    - ``mirror_concat``: both, one after the other, (B, 2 D) (Wen et al., centre loss, ECCV 2016; Liu et al.,
      SphereFace, CVPR 2017).
    """
    if fusion == "none":
        return embedder(faces)
    own, mirrored = embedder(faces), embedder(faces.flip(3))
    return own + mirrored if fusion == "mirror_sum" else torch.cat([own, mirrored], dim=1)


def width(embedder: Embedder, fusion: Fusion) -> int:
    """How many numbers an embedding has: D, or 2 D."""
    return embedder.architecture.embedding_dim * (2 if fusion == "mirror_concat" else 1)


def prefetch(work: Callable[[Item], Result], batches: Iterable[Sequence[Item]]) -> Iterator[list[Result]]:
    """``work`` on each item of each batch, in order, by a thread per core, while the batch before is made use of.

    Threads suffice: reading, decoding and resizing free the interpreter's lock.
    """
    threads = torch.get_num_threads()
    waiting = deque()
    try:
        # In these threads torch has one thread each; it keeps its number in the thread that computes.
        with ThreadPoolExecutor(cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for batch in batches:
                waiting.append([pool.submit(work, item) for item in batch])
                if len(waiting) > AHEAD:
                    yield [done.result() for done in waiting.popleft()]
            while waiting:
                yield [done.result() for done in waiting.popleft()]
    finally:
        torch.set_num_threads(threads)


def _views(row: Row, names: list[str], architecture: Architecture) -> tuple[str, list[torch.Tensor] | None]:
    """A face's views, each as the network takes it."""
    face, encoded = row
    if encoded is None:
        return face, None
    image = decode(encoded, f"face {face}")
    size, interpolation = architecture.size, architecture.preprocessing.interpolation
    return face, [to_input(image if name == FULL else view(image, name), size, interpolation) for name in names]


def _parted(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _nothing(embedder: Embedder, fusion: Fusion) -> np.ndarray:
    return np.empty((0, width(embedder, fusion)), np.float32)


def _refuse_what_is_no_picture(image: np.ndarray, number: int) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        what = f"an image is {image.dtype} of shape {image.shape}; (H, W, 3), uint8, RGB is needed"
        remedy = "give what lrfr.decoding.decode gives; for values 0..1 in a tensor (B, 3, H, W) call the embedder"
        raise ImageError(what, reason="not_image", where=f"image {number}", remedy=remedy)
