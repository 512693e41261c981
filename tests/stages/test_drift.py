import numpy as np
import pytest
import torch

from lrfr import faces, paths
from lrfr.core.image_statistics import STATISTICS
from lrfr.errors import BenchmarkError, FaceTableError, TrainingError
from lrfr.files import read_json
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Facts, Model, write_model
from lrfr.stages import drift
from tests.face_tables import face, write_faces, write_params

# Of Evidently and what it imports, none of ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
FACES = 150
DRIFT = {"backbone": "main", "sample": 120, "drift_share": 0.2, "warn_above": None, "stop_above": None}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parameters()
    torch.manual_seed(0)
    architecture = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=32, input_size=16, dropout=0.0)
    write_model(paths.pretrained("main"), Model(Embedder(architecture), Facts()))


def parameters(synthesizers=("downsample",), learned=(), **changes) -> None:
    made_by = {
        "synthesizers": {name: {} for name in synthesizers},
        "learned_synthesizers": {name: {} for name in learned},
    }
    write_params(drift=DRIFT | changes, **made_by)


def rows(seed: int, change=lambda image: image, count: int = FACES) -> list[dict]:
    rng = np.random.default_rng(seed)
    made = [
        face(rng, f"{seed} {n}", int(rng.integers(12, 30)), split="train", attributes=[("hr_face_id", f"hr {n}")])
        for n in range(count)
    ]
    return [row | {"image": faces.encode_png(change(faces.decode(row["image"])))} for row in made]


def brighter(image: np.ndarray) -> np.ndarray:
    return image + np.uint8(40)


def write(native: list[dict], synthetic: list[dict], name: str = "downsample") -> None:
    write_faces(native, paths.BENCHMARK)
    write_faces(synthetic, paths.synthetic(name))


def summary(name: str = "downsample") -> dict:
    drift.run()
    return read_json(paths.drift_result(name))["summary"]


def test_faces_of_one_kind_do_not_drift_and_the_files_are_stable_and_offline():
    write(rows(1), rows(2))
    found = summary()
    assert not found["drift"] and found["drifted_share"] == 0 and not found["embeddings"]["drifted"]
    assert 0.3 < found["statistics"]["auc"] < 0.7 and 0.3 < found["embeddings"]["auc"] < 0.7
    assert set(found["columns"]) == {*STATISTICS, "score"}
    assert found["faces"] == {"native": 120, "synthetic": 120}
    files = [paths.drift_result("downsample"), paths.drift_page("downsample")]
    first = [path.read_bytes() for path in files]
    order = np.random.default_rng(0).permutation(FACES)
    write([rows(1)[n] for n in order], [rows(2)[n] for n in order])
    drift.run()
    assert [path.read_bytes() for path in files] == first
    page = first[1].decode()
    assert "<title>Drift" in page
    assert not [tag for tag in ("<script src", "<link ", 'src="http') if tag in page]


def test_brighter_faces_drift_in_exposure_and_both_classifiers_see_it():
    write(rows(1), rows(2, brighter))
    found = summary()
    exposure = found["columns"]["exposure"]
    assert exposure["drifted"] and exposure["current_mean"] > exposure["reference_mean"] + 30
    assert not found["columns"]["height"]["drifted"]
    assert found["statistics"]["auc"] > 0.9 and found["embeddings"]["auc"] > 0.6
    low, high = found["embeddings"]["auc_interval"]
    assert low <= found["embeddings"]["auc"] <= high


def test_the_telling_faces_are_those_that_differ():
    bright = rows(2, brighter, 75)
    write(rows(1), bright + rows(5, count=75))
    telling = summary()["telling"]
    assert len(telling["native"]) == len(telling["synthetic"]) == drift.TELLING
    assert len({row["face_id"] for row in bright}.intersection(telling["synthetic"])) >= drift.TELLING - 1
    assert set(telling["native"]) <= {row["face_id"] for row in rows(1)}


def test_the_share_of_drifted_columns_decides():
    write(rows(1), rows(2, brighter))
    parameters(drift_share=0.01)
    assert summary()["drift"]
    parameters(drift_share=1.0)
    found = summary()
    assert 0 < found["drifted_share"] < 1 and not found["drift"]


def test_test_faces_and_distractors_are_not_looked_at():
    others = [
        row | {"split": split}
        for split, seed in (("probe", 3), ("distractor", 4))
        for row in rows(seed, lambda image: 255 - image, 40)
    ]
    write(rows(1), rows(2))
    without = summary()
    write(rows(1) + others, rows(2))
    assert summary() == without


def test_all_synthesizers_are_compared_learned_ones_too_and_native_faces_are_looked_at_once(monkeypatch):
    parameters(["downsample", "photographic"], learned=["mrgan"])
    looked_at, models = [], []
    statistics_of, read_model = drift.statistics_of, drift.read_for_comparison
    monkeypatch.setattr(drift, "statistics_of", lambda of, **how: looked_at.append(of.path) or statistics_of(of, **how))
    monkeypatch.setattr(drift, "read_for_comparison", lambda *given: models.append(given) or read_model(*given))
    write(rows(1), rows(2))
    write(rows(1), rows(5, brighter), "photographic")
    write(rows(1), rows(6), "mrgan")
    drift.run()
    assert looked_at == [paths.BENCHMARK, *(paths.synthetic(name) for name in ("downsample", "photographic", "mrgan"))]
    assert len(models) == 1
    found = {name: read_json(paths.drift_result(name)) for name in ("downsample", "photographic", "mrgan")}
    assert all(of["synthesizer"] == name and paths.drift_page(name).is_file() for name, of in found.items())
    means = {name: of["summary"]["columns"]["exposure"]["current_mean"] for name, of in found.items()}
    assert means["photographic"] > max(means["downsample"], means["mrgan"]) + 30
    alone = found["mrgan"]
    parameters([], learned=["mrgan"])
    drift.run()
    assert read_json(paths.drift_result("mrgan")) == alone, "the others make no difference"


def test_every_synthesizer_is_judged_by_its_versions_of_the_same_faces():
    write(rows(1), rows(2))
    write(rows(1), rows(5), "photographic")
    drawn = [
        drift.sample_faces(paths.synthetic(name), None, 50, 7, drawn_by=drift.HR).drawn_by.tolist()
        for name in ("downsample", "photographic")
    ]
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == 50


def test_bad_input_is_named():
    with pytest.raises(FaceTableError, match="missing"):
        drift.run()
    write(rows(1, count=19), rows(2, count=40))
    with pytest.raises(BenchmarkError, match="19 faces are too few"):
        drift.run()
    parameters(backbone="other")
    write(rows(1, count=30), rows(2, count=40))
    with pytest.raises(TrainingError, match="other"):
        drift.run()
