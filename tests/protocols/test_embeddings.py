import json

import numpy as np
import pytest

from lrfr.errors import EmbeddingError
from lrfr.protocols.embeddings import Embeddings, read_embeddings

FACTS = {"metric": "euclidean", "presentation": "arcface_112"}


def write(path, **changed):
    arrays = {"face_id": np.array(["a", "b", "c"]), "embedding": np.arange(6.0).reshape(3, 2)}
    arrays |= {"missing": np.zeros(3, bool), "facts": np.array(json.dumps(FACTS))} | changed
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})
    return path


def test_rows_follow_the_face_table_in_every_array(tmp_path):
    mirror = -np.arange(6.0).reshape(3, 2)
    stored = {"embedding_mirror": mirror, "missing": np.array([False, True, False]), "quality": np.array([1.0, 2, 3])}
    stored |= {"unaligned": np.array([True, True, False])}
    found = read_embeddings(write(tmp_path / "m.npz", **stored), ["c", "b"], "lrfr embed m")
    assert found.of().tolist() == [[4, 5], [2, 3]]
    assert found.of("mirror").tolist() == [[-4, -5], [-2, -3]]
    assert found.missing.tolist() == [False, True]
    assert found.quality is not None and found.quality.tolist() == [3, 2]
    assert found.unaligned is not None and found.unaligned.tolist() == [False, True]
    assert found.facts == FACTS
    with pytest.raises(EmbeddingError, match="'side_8' was not embedded"):
        found.of("side_8")


def test_some_of_the_faces_have_all_that_is_known_of_them(tmp_path):
    known = {"quality": np.array([1.0, 2, 3]), "unaligned": np.array([True, False, True])}
    path = write(tmp_path / "m.npz", missing=np.array([False, True, False]), **known)
    some = read_embeddings(path, ["c", "b", "a"], "lrfr embed m").take(np.array([2, 0]))
    assert some.of().tolist() == [[0, 1], [4, 5]]
    assert some.missing.tolist() == [False, False]
    assert (some.quality.tolist(), some.unaligned.tolist()) == ([1, 3], [True, True])


def test_a_model_that_gives_no_quality_and_takes_faces_as_cropped_says_nothing_of_them(tmp_path):
    found = read_embeddings(write(tmp_path / "m.npz"), ["a", "b", "c"], "lrfr embed m")
    assert found.quality is None and found.unaligned is None
    some = found.take(np.array([1]))
    assert some.quality is None and some.unaligned is None


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"face_id": None}, "not an embedding file"),
        ({"embedding": None}, "not an embedding file"),
        ({"missing": None}, "not an embedding file"),
        ({"facts": None}, "not an embedding file"),
        ({"facts": np.array("no JSON")}, "not an embedding file"),
        ({"facts": np.array("[" * 100_000)}, "nested too deeply"),
        ({"embedding": np.zeros((2, 2))}, "differ in length"),
        ({"face_id": np.array(["a", "x", "y"])}, "2 faces of the test set have no embedding, such as b"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_what_to_do(tmp_path, changed, complaint):
    with pytest.raises(EmbeddingError, match=complaint) as caught:
        read_embeddings(write(tmp_path / "m.npz", **changed), ["a", "b", "c"], "lrfr embed m")
    assert "lrfr embed m" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut short", b"no archive"])
def test_a_missing_or_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "m.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EmbeddingError, match=r"m\.npz"):
        read_embeddings(path, ["a"], "lrfr embed m")


def test_whichever_byte_is_damaged_it_is_read_or_named(tmp_path):
    path = write(tmp_path / "m.npz", embedding_mirror=np.ones((3, 2)))
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_embeddings(path, ["a", "b", "c"], "lrfr embed m").of("mirror")
        except EmbeddingError as error:
            assert "m.npz" in str(error)


def test_faces_that_a_condition_left_as_they_are_are_counted_in_the_rows_asked_for():
    stored = {
        "embedding": np.ones((4, 2), np.float32),
        "unchanged_super_resolved_drrn": np.array([True, False, True, False]),
    }
    some = Embeddings(stored, np.array([3, 2, 1]), np.zeros(3, bool), FACTS)
    assert some.unchanged("super_resolved_drrn") == 1
    assert some.unchanged("super_resolved_vdsr") == 0
