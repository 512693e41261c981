"""Champion against challenger on the same probes: the decision of ``retrain``.

The champion embeds the test faces as they are now, new ones included; the challenger's embeddings are those of the
pipeline. Native LR is TinyFace's protocol with distractors. HR is closed-set identification among the faces that SynLR
is made of: of each person the first face is enrolled, and the others are searched for.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import BENCHMARK, Params, read_params
from lrfr.core.significance import Comparison, better
from lrfr.errors import BenchmarkError, unknown_name
from lrfr.faces import read_faces
from lrfr.images import Images
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import embed_faces, embed_images, faces_of
from lrfr.nn.model_file import Model, read_model
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings, read_embeddings
from lrfr.protocols.identification import identify
from lrfr.release.layout import LANDMARKS, MODEL
from lrfr.release.manifest import sha256
from lrfr.release.settings import Release
from lrfr.release.versions import Version
from lrfr.retraining.champion import Champion, champion
from lrfr.retraining.decisions import Decision, moment, read_decisions, write_decision
from lrfr.retraining.gate import Observed, judge
from lrfr.retraining.settings import Retrain
from lrfr.test_sets import SynLR

TIMED, WARM = 20, 3  # faces that are embedded one at a time, and those before that do not count
MEGABYTE = 1e6
TESTED = ["face_id", "identity", "split", "attributes", "landmarks"]


def challenger(params: Params) -> str:
    """The run that challenges the champion.

    Raises:
        ParameterError: params.yaml has no such run.
    """
    run = params.read("release", Release).run
    if run not in params.methods:
        raise unknown_name("run", run, params.methods, f"{paths.PARAMS}: release.run")
    return run


def challenge(now: datetime, say: Callable[[str], object] = print) -> Decision:
    """Compares the run of ``release.run`` with the released model, decides, and keeps the decision.

    Args:
        now: when.
        say: is told what was decided.

    Raises:
        ParameterError: params.yaml has no such run.
        ReleaseError: the released model's files are gone.
        EmbeddingError, FaceTableError: the pipeline did not run to its end.
        BenchmarkError: the HR set has nobody to search for.
    """
    params = read_params()
    run, best = challenger(params), champion(params)
    weights = sha256(paths.model(run) / MODEL)
    lines = _last_verdicts()
    gates = []
    if weights != best.weights:
        make_deterministic(params.seed, params.threads)
        gates = judge(_observed(params, run, best), params.read("retrain", Retrain).gate)
    failed = [f"fails: {gate['gate']}; {gate['observed']}" for gate in gates if not gate["passed"]]
    passed = [f"passes: {gate['gate']}; {gate['observed']}" for gate in gates if gate["passed"]]
    is_better = bool(gates) and not failed
    decision = Decision(
        flow="retrain", at=moment(now), decision="promote" if is_better else "keep",
        reasons=[*failed, *passed] or ["the training made the weights that are released"],
        champion=best.tag, verdicts=lines, gates=gates, challenger=weights,
        version=str(Version(best.version.major, best.version.minor + 1, 0)) if is_better else None,
    )  # fmt: skip
    say(f"{write_decision(decision)}: {decision.decision}: {decision.reasons[0]}")
    return decision


def _last_verdicts() -> int:
    """The lines of people's manifests that the last look counted, which the training had."""
    return next((made.verdicts for made in reversed(read_decisions()) if made.flow == "monitor"), 0)


def _observed(params: Params, run: str, best: Champion) -> Observed:
    old, new = read_model(best.folder), read_model(paths.model(run))
    hr = params.read("synlr", SynLR).faces
    files = [paths.model(run) / name for name in (MODEL, LANDMARKS)]
    return Observed(
        native=_compared(old, run, BENCHMARK, paths.BENCHMARK, params.seed, with_landmarks=False),
        hr=_compared(old, run, hr, paths.test_set(hr), params.seed, with_landmarks=True),
        latency=_latency(new),
        size=sum(path.stat().st_size for path in files if path.is_file()) / MEGABYTE,
    )


def _compared(old: Model, run: str, name: str, table: Path, seed: int, with_landmarks: bool) -> Comparison:
    """Whether the run identifies more probes of a test set at rank 1 than the released model does."""
    faces = read_faces(table, TESTED)
    rows = np.flatnonzero([split != "train" for split in faces["split"].to_pylist()])
    faces = faces.take(rows)
    found = embed_faces(old, faces_of(faces, Images(table, rows), with_landmarks))
    theirs = Embeddings(found, np.arange(len(rows)), found["missing"], {})
    ours = read_embeddings(paths.embeddings(run, name), faces["face_id"].to_pylist(), f"dvc repro embed@{run}")
    tested = Benchmark(faces)
    probe, gallery = _sides(tested, name)
    first = identify(tested, ours, probe, gallery, ours.facts["metric"]).rank == 1
    second = identify(tested, theirs, probe, gallery, old.facts.metric).rank == 1
    return better(first.astype(float), second.astype(float), tested.identity[probe], seed=seed)


def _sides(tested: Benchmark, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The rows that are searched for, and those that are searched."""
    if name == BENCHMARK:
        return tested.splits("probe"), tested.splits("gallery", "distractor")
    identity = tested.identity
    order = np.array(pc.sort_indices(tested.faces["face_id"]))
    named = order[identity[order] >= 0]
    _, first = np.unique(identity[named], return_index=True)
    probe = np.delete(named, first)
    if not len(probe) or len(first) < 2:
        what = f"the HR faces of '{name}' are of too few people, or there is one of each"
        raise BenchmarkError(what, where=paths.test_set(name), remedy="synlr.faces: name a set with more")
    return np.sort(probe), np.setdiff1d(np.arange(len(identity)), probe)


def _latency(model: Model) -> float:
    """The median time that one face takes, ms."""
    images = Images(paths.BENCHMARK)
    faces = [images.decoded(row % len(images)) for row in range(TIMED + WARM)]
    times = []
    for face in faces:
        start = time.perf_counter()
        embed_images(model, [face])
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times[WARM:]))
