"""What was decided, when and why: one JSON file a decision, never changed and never written over.

They belong to the history of the project as people's verdicts do, so git keeps them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lrfr import paths
from lrfr.config import Section, settings
from lrfr.errors import ParameterError, ResultError
from lrfr.files import read_json, write_json

FORMAT = 1
TAKE_BACK = "take it back from git's history"

Verdict = Literal["nothing", "warn", "retrain", "promote", "keep", "released"]


class Batch(Section):
    """What became of a batch of arrivals.

    Attributes:
        digest: SHA-256 of the names and the bytes of its files.
        admitted: whether its faces are learnt from; else its folder lies among the refused ones.
        files: in it.
        faces: that can be used.
        named: of them, with a name.
        people: different names.
        reasons: why it was refused, and what was noted.
    """

    digest: str
    admitted: bool
    files: int
    faces: int
    named: int
    people: int
    reasons: list[str]


class Decision(Section):
    """A decision.

    Attributes:
        format: of this file.
        flow: who decided.
        at: when, ISO 8601, UTC.
        decision: ``nothing``, ``warn`` or ``retrain`` by monitor; ``promote`` or ``keep`` by retrain; ``released``.
        reasons: in words; the first one says most.
        champion: the released model, such as ``tiny-face-embedder@v0.1.0``.
        batches: what came, by name.
        waiting: named faces that were admitted since the last training, these included.
        verdicts: lines of people's manifests.
        drift: what was compared, see :func:`lrfr.quality.arrivals.compare_faces`; None where nothing was.
        gates: each with what was observed.
        challenger: SHA-256 of the weights that were compared.
        version: that the challenger is released as.
    """

    format: Literal[1] = FORMAT
    flow: Literal["monitor", "retrain", "release"]
    at: str
    decision: Verdict
    reasons: list[str] = Field(min_length=1)
    champion: str
    batches: dict[str, Batch] = Field(default_factory=dict)
    waiting: int = 0
    verdicts: int = 0
    drift: dict[str, Any] | None = None
    gates: list[dict[str, Any]] = Field(default_factory=list)
    challenger: str | None = None
    version: str | None = None


def moment(now: datetime) -> str:
    """A time as decisions have it."""
    return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def write_decision(decision: Decision) -> Path:
    """Writes a decision behind all others; returns its file, ``decisions/<number>-<date>-<flow>.json``."""
    number = max((_number(path) for path in _files()), default=0) + 1
    path = paths.DECISIONS / f"{number:04d}-{decision.at[:10]}-{decision.flow}.json"
    write_json(path, decision.model_dump())
    return path


def read_decisions() -> list[Decision]:
    """All decisions, the earliest first.

    Raises:
        ResultError: a file is no decision.
    """
    return [_read(path) for path in sorted(_files(), key=lambda path: (_number(path), path.name))]


def latest(decisions: Sequence[Decision], flow: str) -> Decision | None:
    """The last decision of a flow."""
    return next((decision for decision in reversed(decisions) if decision.flow == flow), None)


def since_training(decisions: Sequence[Decision]) -> list[Decision]:
    """What was decided after the last training was judged."""
    last = max((place for place, decision in enumerate(decisions) if decision.flow == "retrain"), default=-1)
    return [*decisions[last + 1 :]]


def _files() -> list[Path]:
    return [path for path in paths.DECISIONS.glob("[0-9]*.json") if _number(path)]


def _number(path: Path) -> int:
    digits = path.name.partition("-")[0]
    return int(digits) if digits.isdecimal() else 0


def _read(path: Path) -> Decision:
    try:
        return settings(read_json(path, TAKE_BACK), Decision, str(path))
    except ParameterError as error:
        what = str(error).partition("\n")[0]
        raise ResultError(f"this is no decision: {what}", where=path, remedy=TAKE_BACK) from error
