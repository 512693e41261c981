"""lrfr embed WHAT --model M: anybody's images through one model, into a file that `lrfr score` reads."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from lrfr.config import Fusion
from lrfr.core.alignment import AS_CROPPED
from lrfr.decoding import decode
from lrfr.embed.output import WRITERS, write_unreadable
from lrfr.embed.parts import Part, parts_of
from lrfr.embed.pictures import Encoded, Pictures, read_pictures
from lrfr.errors import EmbeddingError, ImageError, ParameterError, TrainingError
from lrfr.nn.compute import device, make_deterministic
from lrfr.nn.embedder import Embedder
from lrfr.nn.embedding import BATCH, embed_inputs, input_of, prefetch, ready, width, with_none
from lrfr.nn.landmarks.model_file import FILE as LANDMARK_FILE
from lrfr.nn.landmarks.model_file import read_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import FILE, Model, facts_of, read_model, sha256_of
from lrfr.nn.onnx_recogniser import SUFFIX, read_onnx
from lrfr.nn.presentation import Presenter
from lrfr.nn.published.conversion import Asked, three_numbers
from lrfr.parallel import cores
from lrfr.progress import track
from lrfr.sources.acquired import left_out
from lrfr.sources.reading.crops import excluded_table

PART = 8 * BATCH  # pictures; what a run that is killed loses at most


def run(
    what: Path,
    model: Path,
    out: Path,
    fusion: Fusion,
    *,
    colour: str | None = None,
    mean: str | None = None,
    std: str | None = None,
    presentation: str | None = None,
) -> int:
    """Writes ``out``: a row for each picture of ``what``, in order, with its embedding, and with its quality where the
    model predicts it; says what was done.

    A picture that cannot be read keeps its row, ``missing`` and with zeros, and is listed in ``<out>.unreadable.csv``.
    A run that was stopped goes on where it was when the same command is given again, and ends with the same bytes.

    Args:
        what: a folder, a list or a face table, as :func:`lrfr.embed.pictures.read_pictures` takes it.
        model: a folder with a model of ours, or the model's file in it; or somebody's recogniser in an ONNX file.
        out: an .npz or a .parquet.
        fusion: what is made of an image and its mirror image, see :func:`lrfr.nn.embedding.fuse`.
        colour: of an ONNX file, as the options below: the order of its channels.
        mean: of its channels in that order, on values 0..1, as ``0.5,0.5,0.5``.
        std: likewise.
        presentation: how faces are presented to it.

    Returns:
        How many pictures could not be read.

    Raises:
        ParameterError: ``out`` cannot be written; an option is wrong, missing, or contradicts what is known.
        SourceError, FaceTableError: there are no pictures.
        TrainingError: there is no such model, or no landmarks for one that takes aligned faces.
        CheckpointError: the ONNX file is no recogniser that can be run.
        EmbeddingError: no picture could be read; an embedding is not finite; another process writes ``out``.
    """
    _check_place(out, what)
    file = _model_file(model)
    asked = Asked(colour=colour, mean=three_numbers("mean", mean), std=three_numbers("std", std))
    pictures = read_pictures(what)
    make_deterministic(0, cores())
    read, sha256 = _read_model(file, asked, presentation)
    landmarks = _landmarks(read, file, pictures)
    known = pictures.landmarks if landmarks is None else None
    embedder, presenter = ready(read.embedder), Presenter(read.facts.presentation, landmarks)
    rows, dim = len(pictures.columns), width(embedder, fusion)
    unreadable_list = out.with_name(f"{out.name}.unreadable.csv")
    with parts_of(out, _fingerprint(read, sha256, file if landmarks is not None else None, fusion, pictures)) as parts:
        done = parts.done * PART
        if parts.done:
            print(f"going on after {min(done, rows):,} of {rows:,} images")
        with track((), "embedding", max(rows - done, 0)) as progress:
            told = None if known is None else known[done:]
            for part in _embedded(embedder, presenter, fusion, pictures.encoded(done), told, file, progress.update):
                parts.add(part)
        unreadable = write_unreadable(unreadable_list, pictures.columns, parts)
        if unreadable < rows:
            WRITERS[out.suffix.lower()](out, pictures.columns, parts, dim, facts_of(read, sha256, fusion))
    if unreadable == rows:
        raise EmbeddingError("none of the pictures can be read", where=what, remedy=f"see {unreadable_list}")
    print(f"{out}: {rows - unreadable:,} embeddings of {dim} numbers")
    if pictures.excluded:
        print(f"left out of {what}: {left_out(excluded_table(list(pictures.excluded)))}")
    if unreadable:
        print(f"{unreadable:,} of {rows:,} pictures could not be read and are marked as missing: {unreadable_list}")
    return unreadable


def _embedded(
    embedder: Embedder,
    presenter: Presenter,
    fusion: Fusion,
    pictures: Iterator[Encoded],
    known: np.ndarray | None,
    file: Path,
    done: Callable[[int], object],
) -> Iterator[Part]:
    """The parts of an embedding; batches count from a part's first row, so that a resumed run has the same.

    ``known`` are the pictures' landmarks (N, 5, 2), where they are to be used. ``done`` is told how many pictures were
    dealt with since it was last told.
    """
    read = prefetch(_read, iter(lambda: list(islice(pictures, BATCH)), []))
    batches = _batches(embedder, presenter, fusion, read, known, done)
    while part := list(islice(batches, PART // BATCH)):
        embedding = np.concatenate([batch.embedding for batch in part])
        if not np.isfinite(embedding).all():
            raise EmbeddingError("the model gives embeddings that are not finite", where=file)
        qualities = [batch.quality for batch in part if batch.quality is not None]
        reason = np.concatenate([batch.reason for batch in part])
        yield Part(embedding, reason, np.concatenate(qualities) if qualities else None)


def _batches(
    embedder: Embedder,
    presenter: Presenter,
    fusion: Fusion,
    read: Iterator[list[np.ndarray | str]],
    known: np.ndarray | None,
    done: Callable[[int], object],
) -> Iterator[Part]:
    """The embeddings of each batch that was read, and why a picture has none."""
    start = 0
    for batch in read:
        reason = np.array([made if isinstance(made, str) else "" for made in batch], np.str_)
        embedding = np.zeros((len(batch), width(embedder, fusion)), np.float32)
        points = None if known is None else known[start : start + len(batch)][reason == ""]
        faces, _ = presenter([made for made in batch if isinstance(made, np.ndarray)], points)
        start += len(batch)
        quality = None
        for inputs in prefetch(partial(input_of, embedder=embedder), [faces]):
            embedding[reason == ""], quality = embed_inputs(embedder, inputs, fusion)
        done(len(batch))
        yield Part(embedding, reason, with_none(quality, reason != "") if embedder.predicts_quality else None)


def _read(encoded: Encoded) -> np.ndarray | str:
    """A picture (H, W, 3), uint8, or why it cannot be read."""
    if encoded is None:
        return "missing"
    if isinstance(encoded, Path):
        try:
            if not encoded.is_file():  # a folder, a pipe and a device are no files either
                return "no_file"
            encoded = encoded.read_bytes()
        except OSError:
            return "no_access"
    try:
        return decode(encoded)
    except ImageError as error:
        return error.reason


def _check_place(out: Path, what: Path) -> None:
    if out.suffix.lower() not in WRITERS:
        remedy = f"let its name end in {' or '.join(WRITERS)}"
        raise ParameterError(f"embeddings are not written as '{out.suffix or out.name}'", where="--out", remedy=remedy)
    if out.is_dir() or os.path.realpath(out) == os.path.realpath(what):  # a link may lead round in a circle
        what_is_there = "a folder" if out.is_dir() else "what is to be embedded"
        raise ParameterError(f"this is {what_is_there}", where=f"--out {out}", remedy="give another name")


def _model_file(model: Path) -> Path:
    file = model / FILE if model.is_dir() else model
    if not file.is_file() or (file.name != FILE and not _is_onnx(file)):
        remedy = (
            f"give a folder with {FILE}, such as models/runs/baseline, or that file; lrfr package and training write "
            f"it; or anybody's recogniser as a file {SUFFIX}"
        )
        raise TrainingError("there is no model of lrfr", where=model, remedy=remedy)
    return file


def _is_onnx(file: Path) -> bool:
    return file.suffix.lower() == SUFFIX


def _read_model(file: Path, asked: Asked, presentation: str | None) -> tuple[Model, str]:
    """The model without its landmark network, and its hash."""
    if _is_onnx(file):
        return read_onnx(file, asked, presentation)
    if presentation is not None or asked != Asked():
        what = "a model of lrfr says itself how images are fed to it"
        raise ParameterError(what, where=file, remedy="leave --colour, --mean, --std and --presentation out")
    return read_model(file.parent, with_landmarks=False), sha256_of(file)


def _landmarks(model: Model, file: Path, pictures: Pictures) -> CNN6 | None:
    """The network beside a model that takes aligned faces; none, where there is none and the pictures' landmarks are
    known.

    Raises:
        TrainingError: there is neither.
    """
    if model.facts.presentation == AS_CROPPED:
        return None
    place = file.with_name(LANDMARK_FILE)
    if place.exists():
        return read_landmark_model(file.parent)
    if pictures.landmarks is not None and not np.isnan(pictures.landmarks).any(axis=(1, 2)).all():
        return None
    remedy = (
        f"copy a project's models/landmarks/{LANDMARK_FILE} there, or give a face table with landmarks; "
        f"faces that are aligned already: --presentation {AS_CROPPED}, with an {SUFFIX} file"
    )
    what = f"the model takes faces aligned as {model.facts.presentation}, and nothing finds their landmarks"
    raise TrainingError(what, where=place, remedy=remedy)


def _fingerprint(model: Model, sha256: str, aligned_by: Path | None, fusion: Fusion, pictures: Pictures) -> str:
    """All that decides the bits of an embedding."""
    machine = f"{torch.__version__} {device().type} {torch.get_num_threads()}"
    fed = f"{model.embedder.architecture.preprocessing.model_dump_json()} {model.facts.presentation}"
    networks = [sha256, sha256_of(aligned_by.with_name(LANDMARK_FILE)) if aligned_by else ""]
    return "\n".join([*networks, fed, fusion, f"{BATCH} {PART}", machine, pictures.fingerprint])
