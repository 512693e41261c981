import numpy as np
import pyarrow as pa
import pytest

from lrfr import paths
from lrfr.errors import BenchmarkError
from lrfr.faces import FACE_SCHEMA, encode_png, read_faces, write_faces
from lrfr.stages import split
from tests.drawing import write_params

IMAGE = encode_png(np.zeros((20, 20, 3), np.uint8))


def write(path, identities):
    rows = [
        {"face_id": f"{hash_of(n)}", "source": "s", "image": IMAGE, "width": 20, "height": 20, "identity": name}
        for n, name in enumerate(identities)
    ]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), path)


def hash_of(number: int) -> str:
    return f"{number * 7919 % 10007:05d}"


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    write(paths.CURATED_NATIVE, [f"person{n % 20}" for n in range(100)] + [None] * 10)
    write(paths.CURATED_AUXILIARY, [f"other{n % 4}" for n in range(40)])
    write(paths.CURATED_UNRECOGNIZABLE, [])


def test_the_benchmark_is_split_and_sorted():
    split.run()
    benchmark = read_faces(paths.BENCHMARK).to_pylist()
    assert [row["face_id"] for row in benchmark] == sorted(row["face_id"] for row in benchmark)
    assert len(benchmark) == 110
    assert all((row["identity"] is None) == (row["split"] == "distractor") for row in benchmark)
    auxiliary = read_faces(paths.AUXILIARY)["split"].to_pylist()
    assert auxiliary.count("validation") == 4 and auxiliary.count("train") == 36


def test_unrecognizable_faces_of_people_who_are_tested_are_left_out(capsys):
    write(paths.CURATED_UNRECOGNIZABLE, [f"person{n % 20}" for n in range(20)] + [None] * 5)
    split.run()
    benchmark = read_faces(paths.BENCHMARK).to_pylist()
    trained = {row["identity"] for row in benchmark if row["split"] == "train"}
    kept = read_faces(paths.UNRECOGNIZABLE).to_pylist()
    named = [row["identity"] for row in kept if row["identity"] is not None]
    assert set(named) == trained and len(named) == len(trained) < 20
    assert len(kept) == len(trained) + 5
    assert [row["face_id"] for row in kept] == sorted(row["face_id"] for row in kept)
    assert f"without {20 - len(trained)} of people who are tested" in capsys.readouterr().out


def test_the_same_bytes_again():
    split.run()
    first = paths.BENCHMARK.read_bytes()
    split.run()
    assert paths.BENCHMARK.read_bytes() == first


def test_somebody_in_both_the_auxiliary_set_and_test_is_named():
    write(paths.CURATED_AUXILIARY, [f"person{n % 20}" for n in range(40)])
    with pytest.raises(BenchmarkError, match=r"in both the auxiliary set and test: person\d"):
        split.run()
    assert not paths.BENCHMARK.exists()


def test_a_benchmark_without_names_is_refused():
    write(paths.CURATED_NATIVE, [None] * 10)
    with pytest.raises(BenchmarkError, match="nobody to train"):
        split.run()


def write_published(places):
    """Native faces of (identity, published place); None for one that is still to be assigned."""
    rows = [
        {
            "face_id": hash_of(n),
            "source": "s",
            "image": IMAGE,
            "width": 20,
            "height": 20,
            "identity": name,
            "split": part,
        }
        for n, (name, part) in enumerate(places)
    ]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.CURATED_NATIVE)


PUBLISHED = [("ann", "train"), ("ann", "train"), ("bob", "probe"), ("bob", "gallery"), (None, "distractor")]


def test_a_published_partition_stays_as_it_is():
    write_published(PUBLISHED)
    split.run()
    found = read_faces(paths.BENCHMARK)
    assert sorted(zip(found["identity"].to_pylist(), found["split"].to_pylist(), strict=True), key=str) == sorted(
        PUBLISHED, key=str
    )


def test_faces_without_a_published_place_are_assigned():
    more = [(f"new{n % 8}", None) for n in range(40)] + [(None, None)]
    write_published(PUBLISHED + more)
    split.run()
    by_id = {row["face_id"]: row["split"] for row in read_faces(paths.BENCHMARK).to_pylist()}
    assert [by_id[hash_of(n)] for n in range(5)] == [part for _, part in PUBLISHED]
    assert {by_id[hash_of(n)] for n in range(5, 45)} == {"train", "probe", "gallery"}
    assert by_id[hash_of(45)] == "distractor"


def test_somebody_on_both_sides_of_a_published_partition_is_named():
    write_published([*PUBLISHED, ("ann", "probe"), ("ann", "gallery")])
    with pytest.raises(BenchmarkError, match="in both train and test: ann"):
        split.run()
    assert not paths.BENCHMARK.exists()
