"""What arrived, whether it may be learnt from, and what is to be done: the decision of ``monitor``."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from lrfr import paths
from lrfr.config import Params, read_params
from lrfr.faces import read_faces
from lrfr.images import write_selected
from lrfr.manifests import KINDS, read_manifests
from lrfr.nn.compute import make_deterministic
from lrfr.nn.model_file import read_model
from lrfr.retraining.arrivals import Places, digest
from lrfr.retraining.champion import Champion, champion
from lrfr.retraining.decisions import (
    Batch,
    Decision,
    latest,
    moment,
    read_decisions,
    since_training,
    write_decision,
)
from lrfr.retraining.examination import accepted, examine
from lrfr.retraining.policy import Seen, drifted, judge
from lrfr.retraining.settings import Retrain

CURRENT = paths.ARRIVED / "admitted.parquet"
LEAST = 20  # faces; below, a difference tells more about chance than about the faces


def look(now: datetime, say: Callable[[str], object] = print) -> Decision:
    """Looks at what arrived, decides, keeps the decision, and moves the batches.

    Args:
        now: when.
        say: is told what is found.

    Raises:
        ReleaseError: nothing was released yet, or the released model's files are gone.
        SourceError: batches arrived and the source of ``acquire`` cannot take them in.
        VerdictError: a manifest has a line that cannot be right.
        ResultError: a decision cannot be read.
        FaceTableError: the project was not run yet, or the release's reference has other columns.
    """
    params = read_params()
    best, places, history = champion(params), Places(params), read_decisions()
    places.settle(history)
    found = _examined(params, places, best, say)
    drift = _drift(params, best, [name for name, batch in found.items() if batch.admitted])
    limits = params.read("retrain", Retrain)
    seen = _seen(found, drift, history, limits.drift)
    verdict, reasons = judge(seen, limits)
    decision = Decision(
        flow="monitor", at=moment(now), decision=verdict, reasons=reasons, champion=best.tag, batches=found,
        waiting=seen.waiting, verdicts=_verdict_lines(), drift=drift,
    )  # fmt: skip
    say(f"{write_decision(decision)}: {verdict}: {reasons[0]}")
    places.settle([*history, decision])
    return decision


def _examined(params: Params, places: Places, best: Champion, say: Callable[[str], object]) -> dict[str, Batch]:
    names = places.names()
    if not names:
        return {}
    make_deterministic(params.seed, params.threads)
    model = read_model(best.folder)
    known = accepted(model)
    found = {}
    for name in names:
        is_taken = (places.admitted / name).exists()
        mark = digest(places.waiting / name)
        batch = _taken(mark) if is_taken else examine(name, places.waiting, mark, params, model, known)
        found[name] = batch
        say(f"{name}: {'admitted' if batch.admitted else 'refused'}; {batch.faces} faces; {'; '.join(batch.reasons)}")
    return found


def _taken(mark: str) -> Batch:
    reason = "a batch of this name was admitted before; give it another name"
    return Batch(digest=mark, admitted=False, files=0, faces=0, named=0, people=0, reasons=[reason])


def _drift(params: Params, best: Champion, names: Sequence[str]) -> dict[str, Any] | None:
    """How far the admitted faces are from those that the released model was tested on; None of too few."""
    tables = [paths.ARRIVED / f"{name}.parquet" for name in names]
    faces = [read_faces(table) for table in tables]
    if sum(map(len, faces)) < LEAST:
        return None
    write_selected(_once(pa.concat_tables(faces)), tables, CURRENT)
    from lrfr.quality.arrivals import compare_faces

    sample = params.read("retrain", Retrain).sample
    return compare_faces(best.reference, CURRENT, model=best.folder, sample=sample, seed=params.seed)


def _once(table: pa.Table) -> pa.Table:
    """Each face once, though it came in two batches."""
    known: set[str] = set()
    return table.filter([not (face in known or known.add(face)) for face in table["face_id"].to_pylist()])


def _seen(found: dict[str, Batch], drift: dict[str, Any] | None, history: Sequence[Decision], level: float) -> Seen:
    recent = since_training(history)
    earlier = [made for made in recent if made.flow == "monitor"]
    came = [batch for made in [*(one.batches for one in earlier), found] for batch in made.values() if batch.admitted]
    named = read_faces(paths.BENCHMARK, ["identity"])["identity"]
    trained = latest(history, "retrain") or next(iter(earlier), None)
    lines = _verdict_lines()
    return Seen(
        batches=found,
        drift=drift,
        drifted_before=any(drifted(made.drift, level) for made in earlier),
        waiting=sum(batch.named for batch in came),
        there=len(named) - named.null_count,
        verdicts=max(lines - trained.verdicts, 0) if trained else 0,
        due=next((made.at for made in earlier if made.decision == "retrain"), None),
    )


def _verdict_lines() -> int:
    """How many lines people's manifests have."""
    return sum(len(read_manifests(folder, kind)) for folder, kind in KINDS.items())
