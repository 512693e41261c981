"""Which pairs of faces people are asked about: those that curation took for one picture, and those that were judged."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import Params
from lrfr.core.manifest_lines import ADJUDICATED, agreed
from lrfr.core.pair_verdicts import Pair, PairVerdict, pair
from lrfr.errors import ResultError
from lrfr.faces import FINDING_SCHEMA, read_faces, read_table, with_rows
from lrfr.images import Images
from lrfr.review.cards import ShownPair, Side
from lrfr.review.sheets import Group, Sheet

PAIR_SHEET = 12  # pairs on a sheet
SHOWN = ["face_id", "width", "height", "identity", "photo_id"]


def near_pairs(verdicts: Iterable[PairVerdict], params: Params) -> dict[Pair, ShownPair]:
    """The pairs that differ in a pixel and that curation took for one picture, and those that people judged since.

    Those that differ most come first. A pair of which a face is gone is left out.

    Raises:
        ResultError: nobody looked for copies yet.
        FaceTableError: a table is missing.
    """
    if not paths.FINDINGS.is_file():
        raise ResultError("nobody looked for copies yet", where=paths.FINDINGS, remedy="dvc repro curate")
    findings = read_table(paths.FINDINGS, FINDING_SCHEMA).to_pylist()
    found = {(row["face_id"], row["copy_of"]): row for row in findings if row["kind"] == "near"}
    judged = {verdict.about for verdict in verdicts}
    wanted = {face_id for about in (*found, *judged) for face_id in about}
    detected = [paths.DETECTED_NATIVE, paths.DETECTED_AUXILIARY, paths.DETECTED_UNRECOGNIZABLE]
    sides = _sides(wanted, [*detected, *map(paths.test_set, params.evaluation_sets)])
    pairs: dict[Pair, ShownPair] = {}
    for (copy, first), row in sorted(found.items(), key=lambda item: (item[1]["similarity"], item[0])):
        difference = round(255 * (1 - row["similarity"]), 1)
        if copy in sides and first in sides:
            pairs.setdefault(pair(copy, first), ShownPair(sides[copy], sides[first], difference, row["reason"]))
    for copy, first in sorted(judged):
        if copy in sides and first in sides:
            pairs.setdefault((copy, first), ShownPair(sides[copy], sides[first], None, None))
    return pairs


def disputed_pairs(pairs: Mapping[Pair, ShownPair], verdicts: Iterable[PairVerdict]) -> dict[Pair, ShownPair]:
    """The pairs that labellers disagree on or are unsure of, settled or not."""
    by_labellers = agreed(verdict for verdict in verdicts if verdict.manifest != ADJUDICATED)
    return {about: shown for about, shown in pairs.items() if by_labellers.get(about, "none") in (None, "unsure")}


def deal_pairs(count: int) -> list[Sheet]:
    """Deals so many pairs out to sheets, in their order."""
    starts = range(0, count, PAIR_SHEET)
    return [[Group(None, list(range(start, min(start + PAIR_SHEET, count))))] for start in starts]


def _sides(wanted: set[str], tables: Iterable[Path]) -> dict[str, Side]:
    """The wanted faces of some tables, by face_id; an image is read when it is asked for."""
    sides: dict[str, Side] = {}
    for path in tables:
        if not path.is_file():
            continue
        images = Images(path)
        faces = with_rows(read_faces(path, SHOWN)).filter(
            pc.field("face_id").isin(pa.array(sorted(wanted), pa.string()))
        )
        for row in faces.to_pylist():
            facts: dict[str, Any] = {name: row[name] for name in SHOWN}
            sides.setdefault(row["face_id"], Side(facts, partial(images.encoded, row["row"])))
    return sides
