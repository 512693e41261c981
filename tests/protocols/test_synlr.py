import numpy as np
import pytest

from lrfr.errors import BenchmarkError
from lrfr.protocols import synlr, tinyface
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from tests.protocols.benchmarks import OPTIONS, benchmark, embed, row


def native_set() -> Benchmark:
    people = [row(f"{n} {shot}", f"p{n}", ("probe", "gallery")[shot % 2]) for n in range(6) for shot in range(4)]
    return benchmark([*people, *(row(f"d{n}", None, "distractor") for n in range(20))])


def synlr_of(faces: list[str]) -> Benchmark:
    """A SynLR set whose faces stand in for these, in this order."""
    native = {face["face_id"]: face for face in native_set().faces.to_pylist()}
    named = ((face, native[face]["identity"], native[face]["split"]) for face in faces)
    return benchmark([row(f"t{face}", who and f"hr {who}", split, native_face_id=face) for face, who, split in named])


def test_the_native_figures_are_those_of_a_benchmark_of_the_same_faces() -> None:
    native = native_set()
    stand_ins = [*(f"d{n}" for n in range(3, 9)), *(f"{n} {shot}" for n in (4, 1, 2) for shot in range(4))]
    synthetic_set = synlr_of(stand_ins)
    cut = native.take(rows := synlr.native_rows(native, synthetic_set))
    assert set(cut.faces["face_id"].to_pylist()) == set(stand_ins)
    embeddings, of_all = embed(synthetic_set, seed=1), embed(native, missing=[rows[2]], seed=2)
    outcome = synlr.evaluate(synthetic_set, embeddings, OPTIONS, 3, (native, of_all))
    beside = Embeddings({"embedding": of_all.of()[rows]}, np.arange(len(rows)), of_all.missing[rows], of_all.facts)
    synthetic, naturally = (
        tinyface.identification(*side, OPTIONS, 3) for side in ((synthetic_set, embeddings), (cut, beside))
    )
    assert outcome.figures == synthetic.figures | {"native": naturally.figures}
    assert sum(outcome.figures["native"]["distractors"][f"n_missing_{side}"] for side in ("probe", "gallery")) == 1
    assert outcome.figures["native"]["distractors"]["n_gallery"] == outcome.figures["distractors"]["n_gallery"] == 12


def test_super_resolution_is_tried_on_no_face_of_the_synlr_set() -> None:
    native, synthetic = native_set(), synlr_of(native_set().faces["face_id"].to_pylist())
    behind = OPTIONS.model_copy(update={"super_resolution": ["vdsr"]})
    beside = (native, embed(native, views=("super_resolved_vdsr",)))
    outcome = synlr.evaluate(synthetic, embed(synthetic), behind, 0, beside)
    assert "conditions" not in outcome.figures and "conditions" not in outcome.figures["native"]


def test_a_set_of_all_faces_leaves_the_benchmark_whole() -> None:
    native = native_set()
    order = np.random.default_rng(0).permutation(native.faces["face_id"].to_pylist()).tolist()
    assert synlr.native_rows(native, synlr_of(order)).tolist() == list(range(native.faces.num_rows))


def test_a_set_of_another_benchmark_is_refused() -> None:
    native = native_set()
    less = Benchmark(native.faces.slice(1))
    with pytest.raises(BenchmarkError, match="44 faces of the SynLR set stand in for 43 of the benchmark"):
        synlr.native_rows(less, synlr_of(native.faces["face_id"].to_pylist()))
