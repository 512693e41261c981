"""What arrivals ask for: nothing, a warning, or a training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrfr.retraining.decisions import Batch, Verdict
from lrfr.retraining.settings import Retrain

SHOWN = 5


@dataclass(frozen=True)
class Seen:
    """What monitor saw.

    Attributes:
        batches: what came, by name.
        drift: of what was admitted; None where nothing was compared.
        drifted_before: whether what was admitted earlier, since the last training, had drifted.
        waiting: named faces that were admitted since the last training.
        there: named faces that were there then.
        verdicts: lines of people's manifests that are new since then.
        due: when a training was decided on that has not ended; None where none was.
    """

    batches: Mapping[str, Batch]
    drift: Mapping[str, Any] | None
    drifted_before: bool
    waiting: int
    there: int
    verdicts: int
    due: str | None


def judge(seen: Seen, limits: Retrain) -> tuple[Verdict, list[str]]:
    """The decision, and its reasons."""
    came = [f"{name}: {_became(batch)}" for name, batch in seen.batches.items()]
    refused = any(not batch.admitted for batch in seen.batches.values())
    told = _drifted(seen, limits.drift)
    has_drifted = told is not None or seen.drifted_before
    told = told or ("earlier arrivals had drifted" if has_drifted else "the data did not drift")
    wanted = -(-round(1e6 * limits.growth * seen.there) // 10**6)
    waiting = f"{seen.waiting} named faces came since the last training"
    if seen.due is not None:
        return "retrain", [f"the training that was decided on at {seen.due} has not ended", *came]
    if has_drifted and seen.waiting >= limits.faces:
        return "retrain", [f"{told}, and {waiting} (faces: {limits.faces})", *came]
    if seen.verdicts >= limits.verdicts:
        return "retrain", [f"people gave {seen.verdicts} new verdicts and names (verdicts: {limits.verdicts})", *came]
    if seen.waiting >= max(wanted, 1):
        return "retrain", [f"{waiting}, to {seen.there} that were there (growth: {limits.growth:g})", *came]
    if refused:
        return "warn", [*sorted(came, key=lambda line: ": refused" not in line), told]
    if has_drifted and seen.batches:
        return "warn", [f"{told}, and no more than {waiting} (faces: {limits.faces})", *came]
    if not seen.batches:
        return "nothing", ["no batch arrived"]
    return "nothing", [f"{told}; {waiting}, and {max(wanted, 1)} would be worth a training", *came]


def _became(batch: Batch) -> str:
    what = "admitted" if batch.admitted else "refused"
    told = f": {'; '.join(batch.reasons)}" if batch.reasons else ""
    return f"{what}, {batch.faces} faces of {batch.people} named people{told}"


def drifted(drift: Mapping[str, Any] | None, level: float) -> list[str]:
    """The parts of a comparison that drifted, if one look in ``1 / level`` may say so where nothing did.

    :func:`lrfr.quality.arrivals.compare_faces` says it of five in a hundred comparisons, which is too often for
    somebody who looks every week.
    """
    if drift is None:
        return []
    parts = dict(drift["columns"]) | {name: drift.get(name) for name in ("embeddings", "below_quality")}
    known = {name: part["p_value"] for name, part in parts.items() if part}
    return [name for name, p_value in known.items() if p_value <= level / len(known)]


def _drifted(seen: Seen, level: float) -> str | None:
    parts = drifted(seen.drift, level)
    listed = ", ".join(parts[:SHOWN]) + (", ..." if len(parts) > SHOWN else "")
    return f"the data drifted in {listed}" if parts else None
