"""Which faces people are asked about, and in which order the sheets hold them."""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import pyarrow as pa

from lrfr import paths
from lrfr.core.curation import size_reasons
from lrfr.core.gold import planted
from lrfr.core.names import Name
from lrfr.core.names import resolve as resolve_names
from lrfr.core.verdicts import ADJUDICATED, Verdict, resolve
from lrfr.errors import FaceTableError, ResultError
from lrfr.faces import read_faces, with_rows

Order = Literal["doubtful", "label-errors", "identity", "photo"]
GROUPED_BY: dict[Order, str] = {"identity": "identity", "photo": "photo_id"}
SHEET = 40  # faces; as many as fit on a laptop's screen at 100 px each
ADJUDICATION_SHEET = 12  # each is looked at longer, beside what the labellers said

# Excluded by what people said, or did not say, or by a limit that may have changed since: these are asked about
OPEN_REASONS = {"not_face", "unrecognizable", "unverified", "too_large", "too_small", "disputed_name"}


@dataclass(frozen=True)
class Group:
    """Faces that stand together on a sheet: of one identity or photo; ``name`` is None where nothing binds them."""

    name: str | None
    rows: list[int]


Sheet = list[Group]


def awaiting(max_side: int) -> pa.Table:
    """The detected native faces that need a verdict, each with its ``row``, by which its image is found.

    ``max_side`` (px) is the largest that may enter the benchmark.

    Left out are faces that no verdict can bring in, for their size or because ``curate`` found them damaged, copied or
    leaked when it last ran, and those whose publisher has partitioned, and so verified, them.

    Raises:
        FaceTableError: no faces were detected yet.
    """
    faces, reasons = _looked_at(max_side)
    return faces.filter(pa.array([reason is None for reason in reasons], pa.bool_()))


def left_out(max_side: int) -> dict[str, int]:
    """How many detected faces :func:`awaiting` leaves out, by the reason: ``published``, or one of curation's."""
    return dict(Counter(reason for reason in _looked_at(max_side)[1] if reason is not None))


def _looked_at(max_side: int) -> tuple[pa.Table, list[str | None]]:
    """All detected native faces, and why each is not asked about."""
    if not paths.DETECTED_NATIVE.is_file():
        what = "there are no detected faces to verify yet"
        raise FaceTableError(what, where=paths.DETECTED_NATIVE, remedy="dvc repro detect")
    faces = with_rows(read_faces(paths.DETECTED_NATIVE))
    ruled_out = _ruled_out()
    sizes = size_reasons(faces["width"].to_numpy(), faces["height"].to_numpy(), max_side)
    columns = zip(faces["face_id"].to_pylist(), faces["split"].to_pylist(), sizes, strict=True)
    return faces, [size or ("published" if split else ruled_out.get(face_id)) for face_id, split, size in columns]


def _ruled_out() -> dict[str, str]:
    """Why curate excluded faces for what their pictures are, by face_id; none before it ran."""
    if not paths.EXCLUDED.is_file():
        return {}
    aside = read_faces(paths.EXCLUDED, ["face_id", "attributes"]).to_pylist()
    reasons = {face["face_id"]: dict(face["attributes"] or [])["reason"] for face in aside}
    return {face_id: reason for face_id, reason in reasons.items() if reason not in OPEN_REASONS}


def disputed(faces: pa.Table, verdicts: Iterable[Verdict], names: Iterable[Name] = ()) -> pa.Table:
    """The faces that labellers disagree on or are unsure of, or give several names; those that an adjudicator has
    settled included."""
    verdicts, names = list(verdicts), list(names)
    outcomes = resolve(verdicts)
    open_ones = {face_id for face_id, outcome in outcomes.items() if outcome.verdict is None or outcome.adjudicated}
    open_ones |= of_several_names(names)
    return faces.filter(pa.array([face_id in open_ones for face_id in faces["face_id"].to_pylist()], pa.bool_()))


def of_several_names(names: Iterable[Name]) -> set[str]:
    """The faces that labellers gave several names, settled or not."""
    by_labellers = [name for name in names if name.manifest != ADJUDICATED]
    return {face_id for face_id, identity in resolve_names(by_labellers).items() if identity is None}


def error_probabilities() -> dict[str, float]:
    """A model's greatest error_probability (0..1) of each face that it doubts, by face_id.

    Raises:
        ResultError: no model was asked yet, or the file is none that ``lrfr label-errors`` wrote.
    """
    if not paths.LABEL_ERRORS.is_file():
        raise ResultError(
            "no model was asked for its error_probabilities yet", where=paths.LABEL_ERRORS, remedy="lrfr label-errors"
        )
    greatest: dict[str, float] = {}
    try:
        with paths.LABEL_ERRORS.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            lacking = {"face_id", "error_probability"} - set(reader.fieldnames or [])
            if lacking:
                raise KeyError(*sorted(lacking))
            for row in reader:
                error_probability = float(row["error_probability"])
                greatest[row["face_id"]] = max(error_probability, greatest.get(row["face_id"], 0.0))
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        what = f"not a list of error_probabilities: {error!r}"
        raise ResultError(what, where=paths.LABEL_ERRORS, remedy="run again: lrfr label-errors") from error
    return greatest


def deal(
    faces: pa.Table,
    order: Order,
    size: int = SHEET,
    error_probability: Mapping[str, float] | None = None,
    gold: Collection[str] = (),
) -> list[Sheet]:
    """Deals faces out to sheets; the same faces give the same sheets.

    Within a group, and where there are no groups, the most doubtful come first: the detector's lowest score, and of
    equal ones the smallest; faces without a score come before. A group that fits on one sheet is never torn.

    Args:
        faces: a face table.
        order: ``doubtful``, by ``error_probability``, or by ``identity`` or ``photo``; faces without one come last.
        size: the most faces on a sheet.
        error_probability: by face_id, for that order; the likeliest errors come first.
        gold: face_ids that are spread over the sheets where there are no groups.
    """
    by, likely_errors = GROUPED_BY.get(order), error_probability or {}
    names = faces[by].to_pylist() if by else [None] * faces.num_rows
    columns = zip(*(faces[name].to_pylist() for name in ("score", "width", "height", "face_id")), strict=True)
    doubt = [
        (-likely_errors.get(face, 0.0), -1.0 if score is None else score, width * height, face)
        for score, width, height, face in columns
    ]
    rows = sorted(range(faces.num_rows), key=lambda row: (names[row] is None, names[row] or "", doubt[row]))
    if by is None:
        ids = faces["face_id"].to_pylist()
        rows = [rows[place] for place in planted([ids[row] for row in rows], gold)]
    sheets: list[Sheet] = []
    room = 0
    for name, members in groupby(rows, key=lambda row: names[row]):
        group = list(members)
        if not sheets or (name is not None and room < len(group) <= size):
            sheets.append([])
            room = size
        dealt = 0
        while dealt < len(group):
            if not room:
                sheets.append([])
                room = size
            sheets[-1].append(Group(name, group[dealt : dealt + room]))
            dealt += len(sheets[-1][-1].rows)
            room -= len(sheets[-1][-1].rows)
    return sheets
