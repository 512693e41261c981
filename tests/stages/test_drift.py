import numpy as np
import pyarrow as pa
import pytest

from lrfr import faces, paths
from lrfr.core.image_statistics import STATISTICS
from lrfr.errors import BenchmarkError, FaceTableError, ParameterError
from lrfr.files import read_json
from lrfr.stages import drift
from tests.face_tables import face, write_params

# Of Evidently and what it imports, none of ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
FACES = 300


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(drift={"sample": 250, "drift_share": 0.2})


def rows(seed: int, change=lambda image: image, count: int = FACES) -> list[dict]:
    rng = np.random.default_rng(seed)
    made = [
        face(rng, f"{seed} {n}", int(rng.integers(12, 30)), split=("train", "distractor")[n % 2]) for n in range(count)
    ]
    return [row | {"image": faces.encode_png(change(faces.decode(row["image"])))} for row in made]


def write(native: list[dict], synthetic: list[dict]) -> None:
    for table, path in ((native, paths.BENCHMARK), (synthetic, paths.synthetic("downsample"))):
        faces.write_faces(pa.Table.from_pylist(table, faces.FACE_SCHEMA), path)


def summary() -> dict:
    drift.run("downsample")
    return read_json(paths.drift_result("downsample"))["summary"]


def test_faces_of_one_kind_do_not_drift_and_the_files_are_stable_and_offline():
    write(rows(1), rows(2))
    found = summary()
    assert not found["drift"]
    assert 0.35 < found["classifier_auc"] < 0.65
    assert set(found["columns"]) == set(STATISTICS)
    assert found["faces"] == {"native": 250, "synthetic": 250}
    files = [paths.drift_result("downsample"), paths.drift_page("downsample")]
    first = [path.read_bytes() for path in files]
    drift.run("downsample")
    assert [path.read_bytes() for path in files] == first
    page = first[1].decode()
    assert "<title>Drift" in page
    assert not [tag for tag in ("<script src", "<link ", 'src="http') if tag in page]


def test_brighter_faces_drift_in_brightness_alone_and_a_classifier_sees_it():
    write_params(drift={"sample": 250, "drift_share": 0.05})
    write(rows(1), rows(2, lambda image: image + np.uint8(40)))
    found = summary()
    assert found["columns"]["exposure"]["drifted"]
    assert found["columns"]["exposure"]["synthetic_mean"] > found["columns"]["exposure"]["native_mean"] + 30
    assert not found["columns"]["height"]["drifted"]
    assert found["drift"]
    assert found["classifier_auc"] > 0.9


def test_the_share_of_drifted_columns_decides():
    write(rows(1), rows(2, lambda image: image + np.uint8(40)))
    write_params(drift={"sample": 250, "drift_share": 1.0})
    found = summary()
    assert 0 < found["drifted_share"] < 1
    assert not found["drift"]


def test_test_faces_are_not_looked_at():
    probes = [row | {"split": "probe"} for row in rows(3, lambda image: 255 - image)]
    write(rows(1), rows(2))
    without = summary()
    write(rows(1) + probes, rows(2))
    assert summary() == without


def test_bad_input_is_named():
    with pytest.raises(ParameterError, match="known: downsample, photographic"):
        drift.run("blur")
    with pytest.raises(FaceTableError, match="missing"):
        drift.run("downsample")
    write(rows(1, count=19), rows(2, count=40))
    with pytest.raises(BenchmarkError, match="19 faces are too few"):
        drift.run("downsample")
