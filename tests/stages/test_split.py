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


def test_the_benchmark_is_split_and_sorted():
    split.run()
    benchmark = read_faces(paths.BENCHMARK).to_pylist()
    assert [row["face_id"] for row in benchmark] == sorted(row["face_id"] for row in benchmark)
    assert len(benchmark) == 110
    assert all((row["identity"] is None) == (row["split"] == "distractor") for row in benchmark)
    auxiliary = read_faces(paths.AUXILIARY)["split"].to_pylist()
    assert auxiliary.count("validation") == 4 and auxiliary.count("train") == 36


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
