"""Verdicts on pairs of faces that may show the same picture: face_id, other_face_id, verdict, labeller, at, note."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lrfr.core.manifest_lines import WITHDRAWN, Kind, agreed
from lrfr.errors import VerdictError

COPY, DIFFERENT = "copy", "different"
PAIR_VERDICTS = (COPY, DIFFERENT, "unsure")

Pair = tuple[str, str]  # two face_ids, the smaller one first


@dataclass(frozen=True)
class PairVerdict:
    """One line of a manifest: whether two faces are cut from one picture, or are different shots."""

    face_id: str
    other_face_id: str
    verdict: str
    labeller: str
    at: datetime
    note: str
    manifest: str
    line: int

    @property
    def about(self) -> Pair:
        """The pair."""
        return pair(self.face_id, self.other_face_id)

    @property
    def says(self) -> str | None:
        """The verdict; None where one is taken back."""
        return None if self.note == WITHDRAWN else self.verdict


def pair(first: str, second: str) -> Pair:
    """Two faces in the order in which they name a pair."""
    return (first, second) if first <= second else (second, first)


def _check(own: dict[str, str], where: str) -> None:
    if own["verdict"] not in PAIR_VERDICTS:
        remedy = f"known: {', '.join(PAIR_VERDICTS)}"
        raise VerdictError(f"unknown verdict '{own['verdict']}' on a pair", where=where, remedy=remedy)
    if own["face_id"] == own["other_face_id"]:
        raise VerdictError("a pair names one face twice", where=where, remedy="a pair is two faces")


KIND = Kind("pair", ("face_id", "other_face_id", "verdict"), "unsure", PairVerdict, _check)


def resolve(verdicts: Iterable[PairVerdict]) -> dict[Pair, str | None]:
    """What people come to, by pair: copy, different, unsure, or None while they disagree."""
    return {about: said for about, said in agreed(verdicts).items()}  # pyrefly: ignore - a pair verdict is on a pair
