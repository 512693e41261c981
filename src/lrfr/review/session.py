"""One labeller, or adjudicator, before the sheets of faces: what the page shows of each face, and how far they are."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lrfr.core.verdicts import VERDICTS, Verdict, latest
from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.faces import encode_png
from lrfr.images import Images
from lrfr.review.pace import Pace
from lrfr.review.record import Judgement, Record
from lrfr.review.sheets import Sheet

Card = dict[str, Any]  # what the page knows of a face, ready for JSON


class Session:
    """The sheets of one run of the page, and the verdicts on them.

    Args:
        faces: a face table.
        images: theirs, in their order.
        sheets: the rows of each sheet.
        labeller: who judges.
        said: what labellers said of each face, for an adjudicator; None for a labeller, who judges unswayed.
    """

    def __init__(
        self,
        faces: pa.Table,
        images: Images,
        sheets: list[Sheet],
        labeller: str,
        said: Mapping[str, Sequence[Verdict]] | None = None,
    ) -> None:
        self.faces, self.images, self.sheets, self.said = faces, images, sheets, said or {}
        self.ids: list[str] = faces["face_id"].to_pylist()
        self.rows = {face_id: row for row, face_id in enumerate(self.ids)}
        self.record = Record(labeller, self.rows, adjudicates=said is not None)
        self.pace = Pace()

    def sheet(self, index: int) -> list[Card]:
        """The faces of a sheet, each with the verdict that it has."""
        self.pace.begin()
        named = [(row, group.name) for group in self.sheets[index] for row in group.rows]
        (images,) = self.images.select(np.array([row for row, _ in named])).batches(len(named))
        return [self._card(*face, image) for face, image in zip(named, images, strict=True)]

    def save(self, judgements: Sequence[Judgement]) -> list[str]:
        """As :meth:`Record.save`; faces that get their first verdict count as work done."""
        first = sum(
            self.record.verdict(judgement.face_id) is None and judgement.verdict is not None for judgement in judgements
        )
        stale = self.record.save(judgements)
        if not stale:
            self.pace.count(first)
        return stale

    def next_open(self, after: int) -> int | None:
        """The next sheet with a face that awaits a verdict, from the first again after the last; None at the end."""
        for index in (*range(after + 1, len(self.sheets)), *range(after + 1)):
            rows = (row for group in self.sheets[index] for row in group.rows)
            if any(self.record.verdict(self.ids[row]) is None for row in rows):
                return index
        return None

    def progress(self) -> dict[str, Any]:
        """Counts, rate (faces in an hour) and time left (s)."""
        counts, rate = self.record.counts, self.pace.per_hour()
        judged = counts.total()
        return {
            "faces": len(self.ids),
            "judged": judged,
            "verdicts": {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]},
            "judged_now": self.pace.faces,
            "seconds": self.pace.seconds,
            "per_hour": rate,
            "seconds_left": (len(self.ids) - judged) * 3600 / rate if rate else None,
        }

    def state(self, face_id: str) -> Card:
        """What may change of a face: its verdict, and the time by which the page knows it."""
        verdict = self.record.verdict(face_id)
        said = {"verdict": verdict.verdict, "note": verdict.note} if verdict else {"verdict": None, "note": ""}
        return {"face_id": face_id, "seen": self.record.seen(face_id)} | said

    def _card(self, row: int, group: str | None, image: bytes) -> Card:
        face = self.faces.slice(row, 1).to_pylist()[0]
        card = {name: face[name] for name in ("width", "height", "score", "identity", "photo_id")}
        said = [
            {"labeller": verdict.labeller, "verdict": verdict.verdict, "note": verdict.note}
            for verdict in self.said.get(face["face_id"], [])
        ]
        return card | self.state(face["face_id"]) | {"image": data_uri(image), "group": group, "said": said}


def opinions(verdicts: Iterable[Verdict]) -> dict[str, list[Verdict]]:
    """The latest verdict of each labeller on each face, by face, in the order of the labellers' names."""
    by_face: dict[str, list[Verdict]] = {}
    for (face_id, _), verdict in sorted(latest(verdicts).items()):
        by_face.setdefault(face_id, []).append(verdict)
    return by_face


def data_uri(image: bytes) -> str | None:
    """The face as a PNG, which every browser shows; None when it cannot be decoded."""
    try:
        return "data:image/png;base64," + b64encode(encode_png(decode(image))).decode()
    except ImageError:
        return None
