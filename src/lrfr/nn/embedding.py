"""Embedding faces, and the views of them that protocols ask for, with a trained model.

On a processor an embedding depends on the images beside it in its batch by rounding alone (some 1e-6 of its length);
the same images in the same batches give the same bits, whatever the number of cores.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import torch

from lrfr.config import Fusion
from lrfr.core.alignment import mirrored
from lrfr.core.resampling import view
from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.images import Images
from lrfr.nn.compute import device, one_blas_thread
from lrfr.nn.embedder import Embedder
from lrfr.nn.model_file import Model
from lrfr.nn.presentation import Presenter
from lrfr.nn.resolution import to_input
from lrfr.parallel import cores

BATCH = 128
AHEAD = 1  # batches that wait while the network computes
MOST_JOBS = 4  # batches that are embedded side by side on a processor; each takes up to 1 GB with the largest networks

FULL = "full"  # the image as it is
MIRROR = "mirror"  # its mirror image, whose landmarks are as well known

Item = TypeVar("Item")
Result = TypeVar("Result")


class Face(NamedTuple):
    """A face to be embedded: its id, its encoded image (None where the face is missing), and its landmarks if they are
    known: ten numbers, x, y, px."""

    face_id: str
    image: bytes | None
    landmarks: Sequence[float] | None = None


def faces_of(rows: pa.Table, images: Images, with_landmarks: bool = True) -> Iterator[list[Face]]:
    """The faces of a table, a batch at a time.

    Args:
        rows: ``face_id``, ``attributes`` and ``landmarks`` of face table rows.
        images: theirs, in the same order.
        with_landmarks: whether the landmarks are to be used.
    """
    batches = images.batches(BATCH)
    for start in range(0, len(rows), BATCH):
        some = rows.slice(start, BATCH).select(["face_id", "attributes", "landmarks"]).to_pylist()
        yield [
            Face(
                row["face_id"],
                None if "missing" in dict(row["attributes"] or []) else image,
                row["landmarks"] if with_landmarks else None,
            )
            for row, image in zip(some, next(batches), strict=True)
        ]


def embed_images(model: Model, images: Sequence[np.ndarray], fusion: Fusion = "none") -> np.ndarray:
    """Embeds images that are in memory, presented as the model wants them.

    Args:
        model: its embedder is moved to the best device there is.
        images: each (H, W, 3) uint8, RGB, of any size, as :func:`lrfr.decoding.decode` gives them. Nobody can see that
            an image is BGR, as ``cv2.imread`` gives it: turn it by ``image[..., ::-1]``.
        fusion: a name that :func:`fuse` knows.

    Returns:
        (N, D) float32, not of unit length; (N, 2 D) for ``mirror_concat``. The quality of each, which a model may
        predict too, is in what :func:`embed_faces` gives, and :meth:`lrfr.nn.embedder.Embedder.assess`.

    Raises:
        ImageError: an image is of another type or shape.
    """
    for number, image in enumerate(images):
        _refuse_what_is_no_picture(image, number)
    embedder, presenter = ready(model.embedder), Presenter(model.facts.presentation, model.landmarks)
    batches = (presenter(part)[0] for part in _parted(images))
    inputs = prefetch(partial(input_of, embedder=embedder), batches)
    return np.concatenate([_nothing(embedder, fusion), *(embed_inputs(embedder, batch, fusion)[0] for batch in inputs)])


def embed_faces(
    model: Model, batches: Iterable[Sequence[Face]], views: Sequence[str] = (), fusion: Fusion = "none"
) -> dict[str, np.ndarray]:
    """Embeds faces batch by batch; an image is decoded once, whatever the number of its views.

    A view is presented as the face itself: a model that takes aligned faces has the landmarks of every resampled view
    found anew, as anybody would have to who has no sharper picture. A mirror image is no such view: its landmarks are
    the face's, mirrored.

    Args:
        model: its embedder is moved to the best device there is.
        batches: faces, as many at a time as fit the memory.
        views: names that :func:`lrfr.core.resampling.view` knows.
        fusion: a name that :func:`fuse` knows, for every view.

    Returns:
        ``face_id`` (N,), ``missing`` (N,) bool; ``embedding`` and one ``embedding_<view>`` for each view, (N, D)
        float32, or (N, 2 D) for ``mirror_concat``; ``unaligned`` (N,) bool for a model that takes aligned faces: those
        whose landmarks were not found; and ``quality`` (N,) float32 of the faces as they are, for a model that predicts
        it. A missing face has zeros, and the quality minus infinity.

    Raises:
        ImageError: an image cannot be decoded.
    """
    embedder, presenter = ready(model.embedder), Presenter(model.facts.presentation, model.landmarks)
    names = {"embedding": FULL} | {f"embedding_{name}": name for name in views}
    nothing = {"face_id": np.zeros(0, np.str_), "missing": np.zeros(0, bool), "unaligned": np.zeros(0, bool)}
    nothing["quality"] = np.zeros(0, np.float32)
    blocks = [nothing | {column: _nothing(embedder, fusion) for column in names}]
    turn = Lock() if device().type == "cuda" else nullcontext()
    job = partial(_embedded, embedder=embedder, presenter=presenter, names=names, fusion=fusion, turn=turn)
    at_once, threads = _jobs()
    waiting = iter(batches)
    with one_blas_thread():
        for done in prefetch(job, iter(lambda: list(islice(waiting, at_once)), []), at_once, threads):
            blocks += done
    arrays = {column: np.concatenate([block[column] for block in blocks]) for column in blocks[0]}
    told = {"unaligned": presenter.aligns, "quality": embedder.predicts_quality}
    return {column: of for column, of in arrays.items() if told.get(column, True)}


def _jobs() -> tuple[int, int]:
    """How many batches are embedded side by side, and by how many of torch's threads each: small convolutions gain
    little by a second thread. A GPU computes one batch at a time, while cores decode others."""
    threads = torch.get_num_threads()
    jobs = cores() if device().type == "cuda" else min(threads, MOST_JOBS)
    return jobs, max(threads // jobs, 1)


def _embedded(
    faces: Sequence[Face],
    embedder: Embedder,
    presenter: Presenter,
    names: Mapping[str, str],
    fusion: Fusion,
    turn: AbstractContextManager,
) -> dict[str, np.ndarray]:
    """The arrays of a batch, see :func:`embed_faces`; ``turn`` is held while the device computes."""
    decoded = [_views(face, list(names.values())) for face in faces]
    present = [number for number, made in enumerate(decoded) if made is not None]
    missing = np.ones(len(faces), bool)
    missing[present] = False
    arrays: dict[str, np.ndarray] = {
        "face_id": np.array([face.face_id for face in faces], np.str_),
        "missing": missing,
    }
    for number, (column, name) in enumerate(names.items()):
        images = [made[number] for made in decoded if made is not None]
        known = known_landmarks([faces[row] for row in present]) if name in (FULL, MIRROR) else None
        if known is not None and name == MIRROR:
            known = mirrored(known, np.array([image.shape[1] for image in images]).reshape(-1, 1))
        with turn:
            shown, found = presenter(images, known)
        inputs = [input_of(face, embedder) for face in shown]
        block = np.zeros((len(faces), width(embedder, fusion)), np.float32)
        with turn:
            block[present], judged = embed_inputs(embedder, inputs, fusion)
        arrays[column] = block
        if name == FULL:
            arrays["unaligned"] = np.zeros(len(faces), bool)
            arrays["unaligned"][present] = ~found
            arrays["quality"] = with_none(judged, missing)
    return arrays


def ready(embedder: Embedder) -> Embedder:
    """The embedder on the best device that there is, to be evaluated."""
    return embedder.to(device(), memory_format=torch.channels_last).eval()  # pyrefly: ignore


@torch.inference_mode()
def embed_inputs(
    embedder: Embedder, faces: Sequence[torch.Tensor], fusion: Fusion
) -> tuple[np.ndarray, np.ndarray | None]:
    """The embeddings (B, D), and the quality (B,) where the model predicts it, of at most ``BATCH`` faces that
    :func:`to_input` made, by an embedder that is ready. The quality is that of the face, not of its mirror image."""
    if not faces:
        return _nothing(embedder, fusion), np.zeros(0, np.float32) if embedder.predicts_quality else None
    images = torch.cat(list(faces)).to(device())
    embedding, quality = embedder.assess(images)
    fused = fuse(embedding, lambda: embedder(images.flip(3)), fusion)
    return fused.cpu().numpy(), None if quality is None else quality.cpu().numpy()


def with_none(quality: np.ndarray | None, missing: np.ndarray) -> np.ndarray:
    """The quality (N,) float32 of all faces, minus infinity for those that are missing (N,), from that of the others;
    minus infinity throughout where the model predicts none."""
    whole = np.full(len(missing), -np.inf, np.float32)
    if quality is not None:
        whole[~missing] = quality
    return whole


def fuse(own: torch.Tensor, mirrored: Callable[[], torch.Tensor], fusion: Fusion) -> torch.Tensor:
    """Embeddings (B, D), each fused with that of its mirror image, which is made when it is needed.

    - ``none``: of the face alone, (B, D).
    - ``mirror_sum``: the sum of both, (B, D), as insightface's evaluation has it (Deng et al., ArcFace, CVPR 2019).
      The average weighted by norms (Kim et al., AdaFace, CVPR 2022) has the same direction: the weights undo the
      normalisation.
    - ``mirror_concat``: both, one after the other, (B, 2 D) (Wen et al., centre loss, ECCV 2016; Liu et al.,
      SphereFace, CVPR 2017).
    """
    if fusion == "none":
        return own
    return own + mirrored() if fusion == "mirror_sum" else torch.cat([own, mirrored()], dim=1)


def width(embedder: Embedder, fusion: Fusion) -> int:
    """How many numbers an embedding has: D, or 2 D."""
    return embedder.architecture.embedding_dim * (2 if fusion == "mirror_concat" else 1)


def prefetch(
    work: Callable[[Item], Result],
    batches: Iterable[Sequence[Item]],
    workers: int | None = None,
    threads: int = 1,
) -> Iterator[list[Result]]:
    """``work`` on each item of each batch, in order, by ``workers`` (None: one per core), while the batch before is
    made use of.

    The workers are threads: reading, decoding, resizing and torch free the interpreter's lock. In each of them torch
    has ``threads`` of its own; it keeps its number in the thread that asks.
    """
    before = torch.get_num_threads()
    waiting = deque()
    try:
        with ThreadPoolExecutor(workers or cores(), initializer=torch.set_num_threads, initargs=(threads,)) as pool:
            for batch in batches:
                waiting.append([pool.submit(work, item) for item in batch])
                if len(waiting) > AHEAD:
                    yield [done.result() for done in waiting.popleft()]
            while waiting:
                yield [done.result() for done in waiting.popleft()]
    finally:
        torch.set_num_threads(before)


def _views(face: Face, names: Sequence[str]) -> list[np.ndarray] | None:
    """A face's views, (H, W, 3) uint8 each; None where it is missing."""
    if face.image is None:
        return None
    image = decode(face.image, f"face {face.face_id}")
    return [image if name == FULL else view(image, name) for name in names]


def known_landmarks(faces: Sequence[Face]) -> np.ndarray:
    """The known landmarks (N, 5, 2), NaN where they are not."""
    nothing = [np.nan] * 10
    return np.array([nothing if face.landmarks is None else face.landmarks for face in faces], float).reshape(-1, 5, 2)


def input_of(image: np.ndarray, embedder: Embedder) -> torch.Tensor:
    """A presented face (H, W, 3), uint8, as an embedder takes it: (1, 3, height, width), values 0..1."""
    architecture = embedder.architecture
    return to_input(image, architecture.size, architecture.preprocessing.interpolation)


def _parted(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _nothing(embedder: Embedder, fusion: Fusion) -> np.ndarray:
    return np.empty((0, width(embedder, fusion)), np.float32)


def _refuse_what_is_no_picture(image: np.ndarray, number: int) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        what = f"an image is {image.dtype} of shape {image.shape}; (H, W, 3), uint8, RGB is needed"
        remedy = "give what lrfr.decoding.decode gives; for values 0..1 in a tensor (B, 3, H, W) call the embedder"
        raise ImageError(what, reason="not_image", where=f"image {number}", remedy=remedy)
