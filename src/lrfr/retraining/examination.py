"""Whether a batch may be learnt from: its files can be read and show faces, and its names fit what the faces look like.

The released model judges the names: by it a face of a right name is more like that person's other faces than like most
other people's (:mod:`lrfr.core.names_of_arrivals`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import Params, settings
from lrfr.core.names_of_arrivals import (
    Places,
    accepted_places,
    centre_of,
    directions,
    places,
    wrong_people,
    wrong_share,
)
from lrfr.detector import Detect
from lrfr.errors import SourceError
from lrfr.faces import FACE_SCHEMA, read_faces, write_faces
from lrfr.images import Images
from lrfr.nn.embedding import embed_faces, faces_of
from lrfr.nn.model_file import Model
from lrfr.offline import stay_offline
from lrfr.parallel import parallel_map
from lrfr.retraining.decisions import Batch
from lrfr.retraining.settings import Retrain
from lrfr.sources import batches
from lrfr.sources.reading.detecting import faces_in

WEAK = 0.6  # a mean place of accepted faces below which the model cannot judge names
LEAST_NAMED = 10  # faces of a batch from which its names are judged
SHOWN = 5


@dataclass(frozen=True)
class Accepted:
    """The named faces that are learnt from and tested on: ``embedding`` (N, D) by the released model, ``name`` (N,)."""

    embedding: np.ndarray
    name: np.ndarray


def accepted(model: Model) -> Accepted:
    """Embeds the named faces of the benchmark.

    Raises:
        FaceTableError: there is no benchmark yet.
    """
    named = np.flatnonzero(read_faces(paths.BENCHMARK, ["identity"])["identity"].is_valid().to_numpy())
    return Accepted(*_embedded(model, paths.BENCHMARK, named))


def examine(name: str, folder: Path, digest: str, params: Params, model: Model, known: Accepted) -> Batch:
    """Examines a batch; its faces are in ``data/arrivals/<name>.parquet`` afterwards.

    Args:
        name: of the batch.
        folder: where it waits.
        digest: of its files.
        params: limits, and how the batch is read.
        model: the released one.
        known: what was accepted.
    """
    limits = params.read("retrain", Retrain)
    try:
        faces, files, unusable = _read(name, folder, params)
    except SourceError as error:
        return Batch(digest=digest, admitted=False, files=0, faces=0, named=0, people=0, reasons=[_line(error)])
    named = [identity for identity in faces["identity"].to_pylist() if identity is not None]
    reasons = []
    if not len(faces):
        reasons.append(f"none of its {files} files has a face that can be used")
    elif unusable > limits.unusable * files:
        reasons.append(
            f"{unusable} of its {files} files cannot be read or have no face (unusable: {limits.unusable:g})"
        )
    path = paths.ARRIVED / f"{name}.parquet"
    if len(faces):
        write_faces(faces, path)
        reasons += _unmet(name, path)
    notes: list[str] = []
    if not reasons and named:
        rows = np.flatnonzero(faces["identity"].is_valid().to_numpy())
        wrong, notes = _wrong_names(*_embedded(model, path, rows), known, limits.wrong_names, params.seed)
        reasons += wrong
    return Batch(
        digest=digest, admitted=not reasons, files=files, faces=len(faces), named=len(named), people=len({*named}),
        reasons=[*reasons, *notes],
    )  # fmt: skip


def _read(name: str, folder: Path, params: Params) -> tuple[pa.Table, int, int]:
    """The faces of a batch, its number of files, and how many of these cannot be used."""
    options = settings(params.acquire.settings, batches.Settings, f"{paths.PARAMS}: acquire.settings")
    acquired = batches.read_batch(folder, name, options, params.seed)
    cut_from = set(acquired.faces["photo_id"].to_pylist()) - {None}
    searched = [row for row in acquired.photos.to_pylist() if row["photo_id"] not in cut_from]
    rows, without = [], 0
    for photo, found in zip(searched, _found(searched, params), strict=True):
        origin = {"source": photo["source"], "photo_id": photo["photo_id"], "attributes": [("collection", "native")]}
        rows += [face | origin for face in found or []]
        without += not found
    lost = [row for row in acquired.excluded.to_pylist() if row["reason"] != "hidden"]
    cut_alone = sum(photo_id is None for photo_id in acquired.faces["photo_id"].to_pylist())
    faces = pa.concat_tables([acquired.faces, pa.Table.from_pylist(rows, FACE_SCHEMA)])
    return faces, cut_alone + len(cut_from) + len(searched) + len(lost), len(lost) + without


def _found(photos: list[dict[str, Any]], params: Params) -> Iterator[list[dict[str, Any]] | None]:
    """The faces in each photo; None for one that cannot be read."""
    options = params.read("detect", Detect)
    find = partial(faces_in, min_face=options.min_face_native, thresholds=options.thresholds)
    items = [(photo["photo_id"], photo["image"]) for photo in photos]
    yield from parallel_map(find, items, "detecting", "photo", len(items)) if items else ()


def _unmet(name: str, path: Path) -> list[str]:
    """The expectations that a batch's faces do not meet, in words."""
    stay_offline()
    from lrfr.quality.batch import batch_suite
    from lrfr.quality.checking import check
    from lrfr.quality.tables import face_frame, pictured

    checked = check([batch_suite(name, face_frame(pictured(path, decoded=True)))])
    failed = [one for table in checked.values() for one in table["expectations"] if not one["success"]]
    return [f"{one['says']} Observed: {one['observed']}" for one in failed]


def _embedded(model: Model, table: Path, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The embeddings (N, D) and the names (N,) of some faces of a table; a missing face is left out."""
    faces = read_faces(table, ["face_id", "landmarks", "attributes", "identity"]).take(rows)
    found = embed_faces(model, faces_of(faces, Images(table, rows), with_landmarks=False))
    there = ~found["missing"]
    return found["embedding"][there], np.array(faces["identity"].to_pylist(), object)[there]


def _wrong_names(
    embedding: np.ndarray, name: np.ndarray, known: Accepted, most: float, seed: int
) -> tuple[list[str], list[str]]:
    """Why a batch's names are not to be trusted, and what else is to be said of them."""
    names, number = np.unique(np.concatenate([known.name, name]).astype(str), return_inverse=True)
    person, known_person = number[len(known.name) :], number[: len(known.name)]
    centre = centre_of(known.embedding)
    old = directions(known.embedding, centre)
    found = places(directions(embedding, centre), person, old, known_person)
    per_person = int(np.median(np.unique(person, return_counts=True)[1]))
    usual = accepted_places(old, known_person, max(per_person, 2), seed)
    if len(found.place) < LEAST_NAMED or not len(usual.place):
        return [], ["too few of its names can be compared with others, so they are not judged"]
    if usual.place.mean() < WEAK:
        return [], ["the released model is too weak to judge names"]
    share = wrong_share(found.place.mean(), usual.place.mean())
    if share >= most:
        return [f"about {share:.0%} of its names are wrong: {_told(found, usual)}"], []
    so_many = cache(lambda most: accepted_places(old, known_person, most, seed))
    return _wrong_people(found, so_many, names), []


def _wrong_people(found: Places, accepted: Callable[[int], Places], names: np.ndarray) -> list[str]:
    wrong = [
        f"about {share:.0%} of the {count} faces named '{names[person]}' show others"
        for person, count, share in wrong_people(found, accepted)
    ]
    return wrong[:SHOWN] + ([f"and of {len(wrong) - SHOWN} more people"] if len(wrong) > SHOWN else [])


def _told(found: Places, usual: Places) -> str:
    now, before = found.place.mean(), usual.place.mean()
    likeness = f"a face is more like its own name than {now:.0%} of the other people, an accepted one than {before:.0%}"
    return f"{likeness} ({len(found.place)} faces)"


def _line(error: Exception) -> str:
    return str(error).replace("\n  where:", ", in").partition("\n")[0]
