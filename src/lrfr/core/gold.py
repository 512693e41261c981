"""Gold faces: faces whose verdict is known, by which labellers are measured.

They stand among the others, and nobody who judges can tell them.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from lrfr.core.verdicts import ADJUDICATED, VERDICTS, Verdict
from lrfr.errors import VerdictError

COLUMNS = ("face_id", "verdict")
CERTAIN = tuple(verdict for verdict in VERDICTS if verdict != "unsure")


@dataclass(frozen=True)
class Gold:
    """The known verdict on a face; what labellers said up to ``since`` helped to settle it, and is not measured."""

    verdict: str
    since: datetime | None = None


def parse(content: bytes, where: object) -> dict[str, Gold]:
    """Reads a list of gold faces, CSV with the columns face_id and verdict; by face_id.

    Raises:
        VerdictError: it is not UTF-8, its header is another one, a verdict is unknown or ``unsure``, or a face stands
            twice; it names file and line.
    """
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        lines = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise VerdictError(f"the list of gold faces is not CSV in UTF-8: {error}", where=where) from error
    if not lines or tuple(lines[0][1]) != COLUMNS:
        remedy = f"its first line must be: {','.join(COLUMNS)}"
        raise VerdictError("the list of gold faces has another header", where=f"{where}:1", remedy=remedy)
    gold: dict[str, Gold] = {}
    for number, row in lines[1:]:
        if len(row) != len(COLUMNS) or not row[0] or row[1] not in CERTAIN:
            remedy = f"a line is: face_id,verdict; a gold face's verdict is one of {', '.join(CERTAIN)}"
            raise VerdictError(f"'{','.join(row)}' is no gold face", where=f"{where}:{number}", remedy=remedy)
        if row[0] in gold:
            raise VerdictError(f"gold face {row[0]} stands twice", where=f"{where}:{number}", remedy="remove one")
        gold[row[0]] = Gold(row[1])
    return gold


def settled(verdicts: Iterable[Verdict]) -> dict[str, Gold]:
    """The faces that adjudicators have settled, as gold from then on; by face_id."""
    gold: dict[str, Gold] = {}
    for verdict in sorted(verdicts, key=lambda verdict: (verdict.at, verdict.line)):
        if verdict.manifest == ADJUDICATED:
            gold.pop(verdict.face_id, None)
            if verdict.verdict in CERTAIN:
                gold[verdict.face_id] = Gold(verdict.verdict, verdict.at)
    return gold


def planted(faces: Sequence[str], gold: Iterable[str]) -> list[int]:
    """Spreads gold faces evenly over a queue, in an order and at places that tell nothing.

    The queue is cut into as many equal parts as there are gold faces, and each part gets one of them, both drawn by a
    hash of the face: hard gold faces come as often late as early. The others keep their order.

    Args:
        faces: (N,) the face_ids of the queue.
        gold: face_ids; those that are not in the queue are passed over.

    Returns:
        (N,) the places in ``faces``, in their new order.
    """
    place = {face_id: index for index, face_id in enumerate(faces)}
    drawn = sorted((face_id for face_id in set(gold) if face_id in place), key=lambda face_id: _draw(face_id, "turn"))
    ends = [index * len(faces) // max(len(drawn), 1) for index in range(len(drawn) + 1)]
    gold_at = {
        start + int(_draw(face_id, "place") * (end - start)): place[face_id]
        for face_id, (start, end) in zip(drawn, pairwise(ends), strict=True)
    }
    chosen = set(gold_at.values())
    others = (index for index in range(len(faces)) if index not in chosen)
    return [gold_at[index] if index in gold_at else next(others) for index in range(len(faces))]


def _draw(face_id: str, purpose: str) -> float:
    """A number in [0, 1) that depends on the face and on what it is drawn for."""
    return int.from_bytes(hashlib.sha256(f"{purpose}:{face_id}".encode()).digest()[:6]) / 2**48
