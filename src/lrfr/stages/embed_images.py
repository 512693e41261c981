"""lrfr embed WHAT --model M: anybody's images through one model, into a file that `lrfr score` reads."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from lrfr.config import Fusion
from lrfr.decoding import decode
from lrfr.embed.output import WRITERS, write_unreadable
from lrfr.embed.parts import Part, parts_of
from lrfr.embed.pictures import Encoded, Pictures, read_pictures
from lrfr.errors import EmbeddingError, ImageError, ParameterError, TrainingError
from lrfr.nn.compute import device, make_deterministic
from lrfr.nn.embedder import Embedder
from lrfr.nn.embedding import BATCH, embed_inputs, input_of, prefetch, ready, width
from lrfr.nn.landmarks.model_file import FILE as LANDMARK_FILE
from lrfr.nn.model_file import FILE, facts_of, read_model, sha256_of
from lrfr.nn.presentation import Presenter
from lrfr.parallel import cores
from lrfr.progress import track
from lrfr.sources.acquired import left_out
from lrfr.sources.reading.crops import excluded_table

PART = 8 * BATCH  # pictures; what a run that is killed loses at most


def run(what: Path, model: Path, out: Path, fusion: Fusion) -> int:
    """Writes ``out``: a row for each picture of ``what``, in order, with its embedding; says what was done.

    A picture that cannot be read keeps its row, ``missing`` and with zeros, and is listed in ``<out>.unreadable.csv``.
    A run that was stopped goes on where it was when the same command is given again, and ends with the same bytes.

    Args:
        what: a folder, a list or a face table, as :func:`lrfr.embed.pictures.read_pictures` takes it.
        model: a folder with a model of ours, or the model's file in it.
        out: an .npz or a .parquet.
        fusion: what is made of an image and its mirror image, see :func:`lrfr.nn.embedding.fuse`.

    Returns:
        How many pictures could not be read.

    Raises:
        ParameterError: ``out`` cannot be written.
        SourceError, FaceTableError: there are no pictures.
        TrainingError: there is no such model.
        EmbeddingError: no picture could be read; an embedding is not finite; another process writes ``out``.
    """
    _check_place(out, what)
    file = _model_file(model)
    pictures = read_pictures(what)
    make_deterministic(0, cores())
    read = read_model(file.parent)
    embedder, presenter = ready(read.embedder), Presenter(read.facts.presentation, read.landmarks)
    rows, dim = len(pictures.columns), width(embedder, fusion)
    unreadable_list = out.with_name(f"{out.name}.unreadable.csv")
    with parts_of(out, _fingerprint(file, fusion, pictures)) as parts:
        done = parts.done * PART
        if parts.done:
            print(f"going on after {min(done, rows):,} of {rows:,} images")
        with track((), "embedding", max(rows - done, 0)) as progress:
            for part in _embedded(embedder, presenter, fusion, pictures.encoded(done), file, progress.update):
                parts.add(*part)
        unreadable = write_unreadable(unreadable_list, pictures.columns, parts)
        if unreadable < rows:
            WRITERS[out.suffix.lower()](out, pictures.columns, parts, dim, facts_of(read, file.parent))
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
    file: Path,
    done: Callable[[int], object],
) -> Iterator[Part]:
    """The parts of an embedding; batches count from a part's first row, so that a resumed run has the same.

    ``done`` is told how many pictures were dealt with since it was last told.
    """
    read = prefetch(_read, iter(lambda: list(islice(pictures, BATCH)), []))
    while part := list(islice(_batches(embedder, presenter, fusion, read, done), PART // BATCH)):
        embedding = np.concatenate([embedding for embedding, _ in part])
        if not np.isfinite(embedding).all():
            raise EmbeddingError("the model gives embeddings that are not finite", where=file)
        yield embedding, np.concatenate([reason for _, reason in part])


def _batches(
    embedder: Embedder,
    presenter: Presenter,
    fusion: Fusion,
    read: Iterator[list[np.ndarray | str]],
    done: Callable[[int], object],
) -> Iterator[Part]:
    """The embeddings of each batch that was read, and why a picture has none."""
    for batch in read:
        reason = np.array([made if isinstance(made, str) else "" for made in batch], np.str_)
        embedding = np.zeros((len(batch), width(embedder, fusion)), np.float32)
        faces, _ = presenter([made for made in batch if isinstance(made, np.ndarray)])
        for inputs in prefetch(partial(input_of, embedder=embedder), [faces]):
            embedding[reason == ""] = embed_inputs(embedder, inputs, fusion)
        done(len(batch))
        yield embedding, reason


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
    if out.is_dir() or out.resolve() == what.resolve():
        what_is_there = "a folder" if out.is_dir() else "what is to be embedded"
        raise ParameterError(f"this is {what_is_there}", where=f"--out {out}", remedy="give another name")


def _model_file(model: Path) -> Path:
    file = model / FILE if model.is_dir() else model
    if not file.is_file() or file.name != FILE:
        remedy = (
            f"give a folder with {FILE}, such as models/runs/baseline, or that file; lrfr release and training write it"
        )
        raise TrainingError("there is no model of lrfr", where=model, remedy=remedy)
    return file


def _fingerprint(file: Path, fusion: Fusion, pictures: Pictures) -> str:
    """All that decides the bits of an embedding."""
    machine = f"{torch.__version__} {device().type} {torch.get_num_threads()}"
    networks = [sha256_of(one) for one in (file, file.with_name(LANDMARK_FILE)) if one.is_file()]
    return "\n".join([*networks, fusion, f"{BATCH} {PART}", machine, pictures.fingerprint])
