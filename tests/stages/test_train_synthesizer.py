"""train-synthesizer and synthesize, for synthesisers that learn, on a tiny project."""

import csv
import shutil

import cv2
import numpy as np
import pytest
import torch

from lrfr import faces, paths
from lrfr.core.alignment import TEMPLATE
from lrfr.errors import BenchmarkError, FaceTableError, ParameterError, TrainingError
from lrfr.faces import LANDMARK_SCHEMA, read_table, write_table
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Facts, Model, write_model
from lrfr.nn.weights_file import FILE
from lrfr.stages import code, synthesize, train_synthesizer
from lrfr.synthesis import cyclegan, high_to_low, mrgan, read_learned
from tests.face_tables import whole, write_params, write_split
from tests.landmark_tables import write_landmarks

SIZE = 32
ADAM = {"optimizer": "adam", "learning_rate": 2e-4, "betas": [0.5, 0.999], "weight_decay": 0.0, "schedule": "constant"}
TRAINING = ADAM | {
    "epochs": 2, "batch_size": 8, "clip_norm": None, "precision": "fp32", "optimizers": {"discriminator": ADAM},
    "augmentation": {"mirror": True, "shift": 0.0, "scale": 0.0, "rotation": 0.0, "brightness": 0.0, "contrast": 0.0,
                     "gamma": None},
}  # fmt: skip
TINY = {"backbone": "main", "size": SIZE, "width": 0.05, "training": TRAINING}
LEARNED = {"mrgan": TINY | {"sides": [32, 16, 8]}, "cyclegan": TINY | {"kept": 3}, "high_to_low": TINY}
TERMS = {
    "mrgan": {"adversarial", "perceptual", "attention", *(
        f"discriminator_adversarial_{part}" for part in ("whole", "eyes", "nose", "mouth"))},
    "cyclegan": {"adversarial_hr", "adversarial_lr", "cycle_hr", "cycle_lr",
                 "discriminator_adversarial_hr", "discriminator_adversarial_lr"},
    "high_to_low": {"discriminator_adversarial"},
}  # fmt: skip


def write(presentation="arcface_112", size=SIZE, **learned):
    write_params(threads=1, synthesizers={"downsample": {}}, learned_synthesizers=learned or LEARNED)
    code.run()
    torch.manual_seed(0)
    architecture = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=size, dropout=0.0)
    # An expert's landmark network is not read here
    model = Model(Embedder(architecture).eval(), Facts(presentation=presentation))
    write_model(paths.pretrained("main"), model)


def write_project():
    write_split()
    write_landmarks()
    write()


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_project()


@pytest.fixture(scope="module")
def whole_trainings(tmp_path_factory):
    """A project in which every synthesiser has learnt, once for all tests."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_project()
        for name in LEARNED:
            train_synthesizer.run(name)
    return folder


@pytest.fixture
def learned(project, tmp_path, whole_trainings):
    """The test's project after these trainings."""
    shutil.copytree(whole_trainings, tmp_path, dirs_exist_ok=True)


def curve(name):
    with paths.training_curve("synthesizers", name).open(newline="") as lines:
        return list(csv.DictReader(lines))


def weights(name):
    return (paths.synthesizer(name) / FILE).read_bytes()


@pytest.mark.parametrize("name", LEARNED)
def test_it_learns_and_shows_every_term_and_the_accuracy(name, learned):
    rows = curve(name)
    assert len(rows) == 2
    assert TERMS[name] | {"discriminator_accuracy", "validation_pixel", "discriminator_learning_rate"} <= set(rows[0])
    assert all(0 <= float(row["discriminator_accuracy"]) <= 1 for row in rows)
    assert not paths.checkpoint("synthesizers", name).exists()
    generator = read_learned(name)
    assert (generator.size, generator.presentation) == (SIZE, "arcface_112")
    assert not generator.network.training


@pytest.mark.parametrize("name", LEARNED)
def test_samples_are_shown_while_it_learns_and_kept(name, learned):
    kept = {path.stem: cv2.imread(str(path)) for path in sorted(paths.samples(name).glob("*.png"))}
    assert list(kept) == ["00_hr", "01_epoch_0001", "02_epoch_0002", "03_native"]
    size = SIZE // 4 if name == "high_to_low" else SIZE
    assert kept["00_hr"].shape == (SIZE, 6 * SIZE, 3) and kept["02_epoch_0002"].shape == (size, 6 * size, 3)
    shown = sorted((paths.live("synthesizers", name) / "sheets").glob("*.png"))
    assert len(shown) == 2
    assert [len(cv2.imread(str(path))) for path in shown] == [2 * SIZE, 3 * SIZE]


def test_equal_parameters_give_equal_bytes_and_a_resumed_training_too(learned, monkeypatch):
    first, samples = weights("mrgan"), [path.read_bytes() for path in sorted(paths.samples("mrgan").glob("*"))]
    train_synthesizer.run("mrgan")
    assert weights("mrgan") == first
    monkeypatch.setattr("lrfr.nn.training.loop.SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    with monkeypatch.context() as patch:
        original = mrgan.MultiResolutionGan.watch

        def fall(task, values, step):
            if step == 4:
                raise KeyboardInterrupt
            original(task, values, step)

        patch.setattr(mrgan.MultiResolutionGan, "watch", fall)
        with pytest.raises(KeyboardInterrupt):
            train_synthesizer.run("mrgan")
    assert paths.checkpoint("synthesizers", "mrgan").is_file()
    train_synthesizer.run("mrgan")
    assert weights("mrgan") == first
    assert [path.read_bytes() for path in sorted(paths.samples("mrgan").glob("*"))] == samples


def test_cyclegan_resumes_with_the_faces_that_it_kept(learned, monkeypatch):
    first = weights("cyclegan")
    monkeypatch.setattr("lrfr.nn.training.loop.SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    with monkeypatch.context() as patch:
        patch.setattr(cyclegan.CycleGan, "watch", lambda task, values, step: 1 / 0 if step == 3 else None)
        with pytest.raises(ZeroDivisionError):
            train_synthesizer.run("cyclegan")
    train_synthesizer.run("cyclegan")
    assert weights("cyclegan") == first


@pytest.mark.parametrize("name", LEARNED)
def test_no_test_face_is_ever_read(name, learned):
    """The tested faces are no images any more: who reads one stops. And what is learnt is the same."""
    first = weights(name)

    def spoil(benchmark, auxiliary):
        for row in benchmark:
            if row["split"] != "train":
                row["image"] = b"no image"

    write_split(spoil)
    write_landmarks()
    train_synthesizer.run(name)
    assert weights(name) == first


@pytest.mark.parametrize("name", LEARNED)
def test_native_training_faces_are_what_it_learns_from(name, learned):
    first = weights(name)

    def darken(benchmark, auxiliary):
        for row in benchmark:
            if row["split"] == "train":
                row["image"] = faces.encode_png(faces.decode(row["image"]) // 2)

    write_split(darken)
    write_landmarks()
    train_synthesizer.run(name)
    assert weights(name) != first


@pytest.mark.parametrize("name", LEARNED)
def test_every_auxiliary_face_has_its_version_framed_as_it_is(name, learned):
    synthesize.run(name)
    synthesize.run("downsample")
    made, shrunk = (whole(paths.synthetic(maker)).to_pylist() for maker in (name, "downsample"))
    for ours, theirs in zip(made, shrunk, strict=True):
        same = ("width", "height", "identity", "split", "source", "landmarks")
        assert [ours[key] for key in same] == [theirs[key] for key in same]
        assert faces.decode(ours["image"]).shape == faces.decode(theirs["image"]).shape
        attributes = dict(ours["attributes"])
        assert attributes["synthesizer"] == name and len(attributes["model"]) == 64
    assert [row["image"] for row in made] != [row["image"] for row in shrunk]
    first = paths.synthetic(name).read_bytes()
    synthesize.run(name)
    assert paths.synthetic(name).read_bytes() == first


def test_a_face_is_put_back_where_it_was(learned, monkeypatch):
    """A generator that changes nothing gives, about, the shrunk face."""
    generator = read_learned("mrgan")
    monkeypatch.setattr(type(generator.network), "forward", lambda network, images, noise: images)
    synthesize.run("mrgan")
    synthesize.run("downsample")
    for ours, theirs in zip(*(whole(paths.synthetic(name)).to_pylist() for name in ("mrgan", "downsample")),
                            strict=True):  # fmt: skip
        difference = np.abs(faces.decode(ours["image"]).astype(float) - faces.decode(theirs["image"]))
        assert difference.mean() < 6


def test_faces_without_landmarks_are_left_out_and_shrunk_as_they_are():
    table = read_table(paths.AUXILIARY_LANDMARKS, LANDMARK_SCHEMA).to_pylist()
    table[0]["landmarks"] = None
    write_rows(table, paths.AUXILIARY_LANDMARKS)
    train_synthesizer.run("mrgan")
    synthesize.run("mrgan")
    synthesize.run("downsample")
    ours, theirs = (whole(paths.synthetic(name)).to_pylist()[0]["image"] for name in ("mrgan", "downsample"))
    assert ours == theirs


def write_rows(rows, path):
    import pyarrow as pa

    write_table(pa.Table.from_pylist(rows, LANDMARK_SCHEMA), path, LANDMARK_SCHEMA)


def test_tiny_faces_are_picked_by_the_distance_of_eyes_and_mouth():
    distances = []
    for row in read_table(paths.NATIVE_LANDMARKS, LANDMARK_SCHEMA).to_pylist():
        points = np.array(row["landmarks"]).reshape(5, 2)
        distances.append(np.linalg.norm(points[:2].mean(0) - points[3:].mean(0)))
    trains = [row["split"] == "train" for row in whole(paths.BENCHMARK).to_pylist()]
    low, high = 6, 9
    wanted = sum(train and low < distance < high for train, distance in zip(trains, distances, strict=True))
    assert 0 < wanted < sum(trains)
    chosen = TINY | {"sides": [32, 16, 8], "realistic": {"collection": "native", "eye_mouth": [low, high]}}
    found = train_synthesizer.translated(
        *train_synthesizer.TABLES["native"], "arcface_112", SIZE, None, chosen["realistic"]["eye_mouth"]
    )
    assert len(found) == wanted


def nobody_trains(benchmark, auxiliary):
    for row in benchmark:
        if row["split"] == "train":
            row["split"] = "distractor"


def test_without_native_training_faces_it_says_so():
    write_split(nobody_trains)
    write_landmarks()
    with pytest.raises(BenchmarkError, match=r"no training faces that a synthesiser could learn from(.|\n)*acquire"):
        train_synthesizer.run("mrgan")


def test_without_landmarks_it_says_so():
    rows = read_table(paths.NATIVE_LANDMARKS, LANDMARK_SCHEMA).to_pylist()
    write_rows([row | {"landmarks": None} for row in rows], paths.NATIVE_LANDMARKS)
    with pytest.raises(BenchmarkError, match=r"none of 20 training faces has landmarks(.|\n)*as_cropped"):
        train_synthesizer.run("mrgan")


def test_landmarks_of_other_faces_are_refused():
    rows = read_table(paths.NATIVE_LANDMARKS, LANDMARK_SCHEMA).to_pylist()
    write_rows(rows[::-1], paths.NATIVE_LANDMARKS)
    with pytest.raises(FaceTableError, match="landmarks of other faces"):
        train_synthesizer.run("mrgan")


@pytest.mark.parametrize(
    ("name", "presentation", "size", "complaint"),
    [
        ("mrgan", "as_cropped", SIZE, "refines eyes, nose and mouth at fixed places"),
        ("mrgan", "arcface_112", 40, "takes faces of 40 x 40 px, and size is 32 px"),
        ("cyclegan", "middle_224", SIZE, "is shown the middle of faces"),
    ],
)
def test_a_backbone_that_does_not_go_with_it_is_refused(name, presentation, size, complaint):
    write(presentation, size)
    with pytest.raises(ParameterError, match=complaint):
        train_synthesizer.run(name)


def test_as_cropped_the_rivals_learn_without_landmarks():
    write("as_cropped")
    for path in (paths.NATIVE_LANDMARKS, paths.AUXILIARY_LANDMARKS):
        rows = read_table(path, LANDMARK_SCHEMA).to_pylist()
        write_rows([row | {"landmarks": None} for row in rows], path)
    train_synthesizer.run("high_to_low")
    synthesize.run("high_to_low")
    assert len(whole(paths.synthetic("high_to_low"))) == 30


@pytest.mark.parametrize(
    ("learned", "name", "complaint"),
    [
        ({"mrgann": LEARNED["mrgan"]}, "mrgann", r"unknown synthesizer 'mrgann'(.|\n)*did you mean 'mrgan'"),
        (LEARNED, "mrgam", r"unknown learned synthesizer 'mrgam'(.|\n)*did you mean 'mrgan'"),
        ({"downsample2": {}}, "downsample2", "unknown synthesizer"),
        ({"photographic": {}}, "photographic", r"'photographic' learns nothing(.|\n)*set it under synthesizers"),
        ({"high_to_low": TINY | {"size": 40}}, "high_to_low", "size must be a multiple of 16 px"),
        ({"cyclegan": TINY | {"sides": [1]}}, "cyclegan", "unknown parameter 'sides'"),
    ],
)
def test_a_wrong_name_or_setting_is_told(learned, name, complaint):
    write_params(threads=1, synthesizers={"downsample": {}}, learned_synthesizers=learned)
    with pytest.raises(ParameterError, match=complaint):
        train_synthesizer.run(name)


def test_one_that_was_not_trained_makes_no_faces():
    with pytest.raises(TrainingError, match="not a learned synthesiser of lrfr"):
        synthesize.run("mrgan")


def test_a_player_that_has_won_ends_the_training():
    collapse = {"accuracy": 0.500001, "window": 2}
    write(mrgan=LEARNED["mrgan"] | {"collapse": collapse, "training": TRAINING | {"epochs": 10}})
    with pytest.raises(TrainingError, match=r"collapsed: the discriminator's accuracy has been(.|\n)*2 updates"):
        train_synthesizer.run("mrgan")


def test_a_term_that_is_no_number_is_told_with_its_player(monkeypatch):
    monkeypatch.setattr(
        high_to_low, "hinge_discriminator_loss", lambda real, made: (real.sum() + made.sum()) * float("nan")
    )
    with pytest.raises(TrainingError, match=r"'adversarial' of the optimizer 'discriminator' is nan at update 0"):
        train_synthesizer.run("high_to_low")


def test_the_template_is_where_faces_are_put_back_from():
    """What is aligned and put back lies where it lay, to a fraction of a pixel."""
    from lrfr.nn.alignment import align
    from lrfr.nn.translation.making import _put_back

    rng = np.random.default_rng(0)
    image = cv2.resize(rng.uniform(40, 200, (5, 5, 3)), (90, 100), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    points = (TEMPLATE - TEMPLATE.mean(axis=0)) * 0.7 @ [[0.98, 0.17], [-0.17, 0.98]] + [45, 52]
    seen = align(np.full_like(image, 255), points)
    back = _put_back(align(image, points), seen, image, points, "arcface_112")
    assert np.abs(back.astype(float) - image).mean() < 1.5
    assert not np.array_equal(back, image)
