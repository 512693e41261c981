"""The challenger against the released model, on the same probes."""

from datetime import UTC, datetime

import numpy as np
import pytest

from lrfr import paths
from lrfr.errors import EmbeddingError, ParameterError, ReleaseError
from lrfr.faces import read_faces
from lrfr.nn.model_file import Facts
from lrfr.release.manifest import sha256
from lrfr.retraining.challenge import challenge
from lrfr.retraining.decisions import read_decisions
from tests.release.project import RUNS, parameters, write_best
from tests.retraining.conftest import ACQUIRE

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)


def embed(name, table, knows):
    """Embeddings of a test set by which ``knows`` of the people are told apart, and the others not at all."""
    faces = read_faces(table, ["face_id", "identity"])
    names = sorted({*faces["identity"].to_pylist()} - {None})
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(faces), 64))
    for row, identity in enumerate(faces["identity"].to_pylist()):
        if identity is not None and names.index(identity) < knows * len(names):
            vectors[row] = np.eye(64)[names.index(identity)]
    place = paths.embeddings("best", name)
    place.parent.mkdir(parents=True, exist_ok=True)
    facts = np.array('{"metric": "cosine", "presentation": "as_cropped", "trained": []}')
    missing = np.zeros(len(faces), bool)
    np.savez(
        place, face_id=faces["face_id"].to_pylist(), embedding=vectors.astype(np.float32), missing=missing, facts=facts
    )


def challenged(native, hr):
    write_best(Facts(), seed=5)  # other weights; the embeddings are what counts
    embed("benchmark", paths.BENCHMARK, native)
    embed("distractors", paths.test_set("distractors"), hr)
    return challenge(NOW, lambda line: None)


@pytest.fixture
def poor(project, monkeypatch):
    """A released model that finds nobody."""
    from lrfr.retraining import challenge as module

    def embedded(model, batches):
        count = sum(len(batch) for batch in batches)
        return {"embedding": np.random.default_rng(1).normal(size=(count, 8)), "missing": np.zeros(count, bool)}

    monkeypatch.setattr(module, "embed_faces", embedded)
    monkeypatch.setattr(module, "_latency", lambda model: 5.0)  # whatever else the machine does


def test_a_better_model_is_promoted_under_the_next_version(poor):
    made = challenged(1.0, 1.0)
    assert made.decision == "promote", made.reasons
    assert (made.version, made.challenger) == ("v0.2.0", sha256(paths.model("best") / "model.safetensors"))
    assert read_decisions() == [made]


def test_a_model_that_knows_nobody_is_not(poor):
    made = challenged(0.0, 1.0)
    assert made.decision == "keep" and made.version is None
    assert made.reasons[0].startswith("fails: better on native LR")


def test_what_is_lost_on_hr_counts(project):
    made = challenged(1.0, 0.0)
    assert made.decision == "keep", made.reasons
    assert any(reason.startswith("fails: no worse on HR") for reason in made.reasons)


def test_the_very_same_weights_are_no_challenge(project):
    made = challenge(NOW, lambda line: None)
    assert made.decision == "keep" and made.gates == []


def test_a_gate_that_names_an_unknown_run(project):
    parameters(acquire=ACQUIRE, run="bst")
    with pytest.raises(ParameterError, match=r"unknown run 'bst'[\s\S]*did you mean 'best'"):
        challenge(NOW, lambda line: None)


def test_a_pipeline_that_did_not_run_is_one_message(project):
    write_best(Facts(), seed=5)
    paths.embeddings("best", "benchmark").unlink()
    with pytest.raises(EmbeddingError, match="there are no embeddings"):
        challenge(NOW, lambda line: None)


def test_a_champion_that_is_gone(project):
    parameters(acquire=ACQUIRE, runs=RUNS, version="v0.1.0")
    (paths.SIGNED / "tiny-face-embedder/v0.1.0/reference.parquet").write_bytes(b"changed")
    with pytest.raises(ReleaseError, match=r"reference\.parquet is not the file that was released"):
        challenge(NOW, lambda line: None)
