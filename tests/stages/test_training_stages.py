"""pretrain and finetune on small tables."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from lrfr import paths
from lrfr.core.alignment import TEMPLATE
from lrfr.decoding import decode
from lrfr.errors import FaceTableError, ParameterError, ResultError, SourceError, TrainingError
from lrfr.faces import LANDMARK_SCHEMA, read_table
from lrfr.nn.alignment import align
from lrfr.nn.batches.labelled import labelled, validation_batches
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.heads import class_means
from lrfr.nn.landmarks.model_file import FILE as LANDMARK_FILE
from lrfr.nn.landmarks.model_file import write_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import FILE, Facts, Model, TrainedStep, read_facts, read_model, write_model
from lrfr.stages import code, finetune, locate_landmarks, pretrain, training_sets
from tests.face_tables import (
    face,
    unrecognizable_rows,
    whole,
    write_faces,
    write_params,
    write_split,
    write_test_set,
)
from tests.nn.small_training import training
from tests.nn.torchrun import torchrun

ARCHITECTURE = {"backbone": "lrfr_ir18", "width": 0.125, "embedding_dim": 8, "input_size": 16, "dropout": 0.0}
HEAD = {"name": "ArcFace", "scale": 16.0, "margin": 0.2}
ELSEWHERE = TrainedStep(step="pretrain elsewhere", faces={"auxiliary": 100}, passes={"auxiliary": 2.0}, updates=10)
PROVENANCE = {"file": "published.pt", "licence": "MIT"}


def section(**changes):
    return training(**{"epochs": 1, **changes}).model_dump(exclude_unset=True)


def write(begin=None, presentation="as_cropped", **runs):
    """The parameters, and the code that they name; of the untrained floor there is always a run."""
    begin = begin or {"architecture": ARCHITECTURE, "training": section()}
    shown = {} if presentation is None else {"presentation": presentation}
    runs = {name: {"backbone": "main", **values} for name, values in {"random": {"method": "random"}, **runs}.items()}
    write_params(threads=1, backbones={"main": {"head": HEAD, **shown, **begin}}, methods=runs)
    code.run()


def baseline(**changes):
    return {"method": "baseline", "head": HEAD, "training": section()} | changes


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_split()


def start(sha256=None, **facts):
    """A model that somebody published, and how a backbone starts from it."""
    torch.manual_seed(0)
    embedder = Embedder(Architecture(**ARCHITECTURE)).eval()
    write_model(Path("imported/published"), Model(embedder, Facts(**facts)))
    found = hashlib.sha256(Path("imported/published", FILE).read_bytes()).hexdigest()
    begin = {"model": "imported/published", "sha256": sha256 or found}
    return embedder, {"start": begin, "training": section(epochs=0)}


def write_landmark_network():
    """A network that finds the template's points in every face, and the landmarks of the faces that train."""
    network = CNN6(0.05, torch.tensor(TEMPLATE.ravel() * 64 / 112, dtype=torch.float32))
    torch.nn.init.zeros_(network.output.weight)
    write_landmark_model(paths.LANDMARKS, network)
    write_params(threads=1)
    locate_landmarks.run()


def curves(kind, name):
    with paths.training_curve(kind, name).open() as lines:
        return list(csv.DictReader(lines))


def weights(folder):
    return read_model(folder).embedder.state_dict()


def are_equal(weights, others):
    return all(torch.equal(value, others[name]) for name, value in weights.items())


def test_one_pretraining_and_four_runs():
    smaller = {"synthesizer": "downsample", "share": 0.5, "heights": [8, 12]}
    write(
        baseline=baseline(),
        student={
            "method": "tc",
            "teacher": True,
            "distillation_weight": 0.1,
            "curriculum": True,
            "smallest_exponent": 3,
            "largest_exponent": 3,
            "training": section(validation_sides=[8], low_resolution=smaller),
        },
        generic={"method": "pretrained"},
    )
    pretrain.run("main")
    for name in ("baseline", "student", "random", "generic"):
        finetune.run(name)
    assert read_model(paths.pretrained("main")).prototypes.shape == (6, 8)
    assert [float(row["learning_rate"]) > 0 for row in curves("runs", "student")] == [True]
    assert "validation_classification_8px" in curves("runs", "student")[0]
    assert "validation_classification" not in curves("runs", "baseline")[0]  # native faces have no validation rows
    assert curves("runs", "random") == curves("runs", "generic") == []
    assert not [path for path in Path("checkpoints").rglob("*") if path.is_file()]
    assert paths.live("runs", "student").is_dir()
    before = weights(paths.pretrained("main"))
    assert not are_equal(before, weights(paths.model("baseline")))
    assert not are_equal(before, weights(paths.model("random")))
    assert are_equal(before, weights(paths.model("generic")))


def test_a_model_says_what_it_learnt_from_and_with_which_head():
    softmax = {"name": "Softmax"}
    write(
        baseline=baseline(head=softmax),
        generic={"method": "pretrained"},
        student={
            "method": "tc",
            "teacher": False,
            "curriculum": False,
            "frequency": 0.5,
            "smallest_exponent": 3,
            "largest_exponent": 3,
            "training": section(epochs=2),
        },
    )
    pretrain.run("main")
    for name in ("baseline", "student", "random", "generic"):
        finetune.run(name)
    backbone, *runs = (
        read_facts(folder)
        for folder in (paths.pretrained("main"), *map(paths.model, ("baseline", "student", "generic", "random")))
    )
    first = TrainedStep(step="pretrain main", faces={"auxiliary": 24}, passes={"auxiliary": 1.0}, updates=3)
    second = TrainedStep(step="training", faces={"auxiliary": 24}, passes={"auxiliary": 2.0}, updates=6)
    native = TrainedStep(step="training", faces={"native": 20}, passes={"native": 0.8}, updates=2)
    assert [facts.trained for facts in (backbone, *runs)] == [[first], [first, native], [first, second], [first], []]
    heads = [facts.head and facts.head["name"] for facts in (backbone, *runs)]
    assert heads == ["ArcFace", "Softmax", "ArcFace", "ArcFace", None]
    kept = [read_model(paths.model(name)).prototypes for name in ("generic", "baseline", "random")]
    assert torch.equal(kept[0], read_model(paths.pretrained("main")).prototypes)
    assert kept[1:] == [None, None]


@pytest.mark.parametrize(
    ("chosen", "moved"),
    [({"name": "lora", "rank": 2}, ("",)), ({"name": "last_stages", "stages": 1}, ("backbone.output",))],
)
def test_a_run_trains_the_part_of_its_backbone_that_it_names(chosen, moved):
    write(whole=baseline(), part=baseline(trained=chosen))
    pretrain.run("main")
    for name in ("whole", "part"):
        finetune.run(name)
    before, after = weights(paths.pretrained("main")), weights(paths.model("part"))
    assert before.keys() == after.keys()  # a plain network
    for name, value in after.items():
        is_layer = chosen["name"] == "last_stages" or value.ndim > 1
        stays = not name.startswith(moved) or not is_layer or name == "backbone.output.4.weight"  # of ours, always 1
        assert value.equal(before[name]) == stays, name
    assert [step.weights for step in read_facts(paths.model("part")).trained] == [None, chosen]
    assert [step.weights for step in read_facts(paths.model("whole")).trained] == [None, None]


@pytest.mark.parametrize(
    ("run", "complaint"),
    [
        ({"method": "pretrained"}, r"'pretrained' trains nothing(.|\n)*methods.mine.trained"),
        ({"method": "baseline", "head": HEAD, "training": section(), "trained": {"name": "last_stages", "stages": 9}},
         "the backbone has 6: stem, stage_1"),
        ({"method": "rpcn", "width": 0.1, "coupled": [0.5, 0.5, 0.5], "huber_threshold": 0.1, "sides": [8],
          "super_resolution": section(), "recognition": section(), "training": section()}, "trains a new network"),
    ],
)  # fmt: skip
def test_a_part_that_there_is_not_is_refused(run, complaint):
    write(mine={"trained": {"name": "lora", "rank": 2}, **run})
    pretrain.run("main")
    with pytest.raises(ParameterError, match=complaint):
        finetune.run("mine")


def write_mugshots():
    """A test set of which two people train, with landmarks for all but one of their faces."""
    rng = np.random.default_rng(5)
    parts = ("mugshot", "distance_1", "distance_2", "distance_3")
    rows = [
        face(rng, f"m{person} {part}", 24, identity=f"m{person}", split="train" if person < 2 else None,
             attributes=[("part", part)])
        for person in range(4) for part in parts
    ]  # fmt: skip
    rows[0]["landmarks"] = None
    write_test_set("mugshots", rows, "scface")


def test_a_run_learns_from_the_training_faces_of_the_test_set_that_it_names():
    write_mugshots()
    write_landmark_network()
    write(presentation="arcface_112", mine=baseline(native="mugshots", training=section(batch_size=4)))
    training_sets.run()
    pretrain.run("main")
    finetune.run("mine")
    facts = read_facts(paths.model("mine"))
    assert facts.trained[-1] == TrainedStep(step="training", faces={"mugshots": 8}, passes={"mugshots": 1.0}, updates=2)
    located = read_table(paths.training_landmarks("mugshots"), LANDMARK_SCHEMA)
    known = [points is not None for points in located["landmarks"].to_pylist()]
    assert len(known) == 16 and all(known[:8])  # found where nobody knew them


def test_a_run_depends_on_the_test_set_that_it_trains_on_and_on_no_other():
    write_mugshots()
    write_landmark_network()
    write(mine=baseline(native="mugshots"), other=baseline())
    training_sets.run()
    before = {name: paths.training_set(name).read_text() for name in ("mine", "other", "random")}
    assert before["other"] == before["random"] != before["mine"]
    rows = whole(paths.test_set("mugshots")).to_pylist()
    write_test_set("mugshots", rows[1:], "scface")
    training_sets.run()
    after = {name: paths.training_set(name).read_text() for name in before}
    assert [name for name in before if after[name] != before[name]] == ["mine"]


def test_a_test_set_in_which_nobody_trains_is_refused():
    write_mugshots()
    rows = [row | {"split": "probe"} for row in whole(paths.test_set("mugshots")).to_pylist()]
    write_test_set("mugshots", rows, "scface")
    write(mine=baseline(native="mugshots"))
    with pytest.raises(SourceError, match=r"nobody in the test set 'mugshots' trains(.|\n)*partition"):
        training_sets.run()


def test_a_run_starts_from_its_own_backbone():
    write()
    wider = ARCHITECTURE | {"embedding_dim": 4}
    backbones = {
        name: {"presentation": "as_cropped", "head": HEAD, "architecture": architecture, "training": section()}
        for name, architecture in (("main", ARCHITECTURE), ("other", wider))
    }
    runs = {"one": {"method": "pretrained", "backbone": "main"}, "two": {"method": "pretrained", "backbone": "other"}}
    write_params(threads=1, backbones=backbones, methods=runs)
    code.run()
    pretrain.run("other")
    finetune.run("two")
    assert read_model(paths.model("two")).embedder.architecture.embedding_dim == 4
    assert not paths.pretrained("main").exists()
    with pytest.raises(TrainingError, match="models/pretrained/main"):
        finetune.run("one")


def test_an_imported_backbone_is_used_as_it_is_and_its_prototypes_are_class_means():
    embedder, begin = start()
    write(begin)
    pretrain.run("main")
    kept = read_model(paths.pretrained("main"))
    assert are_equal(embedder.state_dict(), kept.embedder.state_dict())
    faces, _, classes = labelled(paths.AUXILIARY, (16, 16))
    (batch,) = validation_batches(faces, len(faces))
    with torch.inference_mode():
        expected = class_means(embedder(batch.images), batch.labels, classes)
    assert torch.allclose(kept.prototypes, expected, atol=1e-5)


def with_classifier(head=None, **changes):
    """How a backbone starts from a published model and its classifier."""
    torch.manual_seed(0)
    told = {"facts": {"head": {"name": "Softmax"}}, "prototypes": torch.randn(6, 8), "bias": torch.randn(6)} | changes
    model = Model(Embedder(Architecture(**ARCHITECTURE)).eval(), Facts(**told.pop("facts")), **told)
    write_model(Path("imported/published"), model)
    found = hashlib.sha256(Path("imported/published", FILE).read_bytes()).hexdigest()
    begin = {"model": "imported/published", "sha256": found, "classifier": True}
    return model, {"start": begin, "head": head or {"name": "Softmax"}, "training": section(epochs=0)}


def test_an_imported_classifier_is_the_teacher_s_own_softmax():
    model, begin = with_classifier()
    write(begin, generic={"method": "pretrained"})
    pretrain.run("main")
    finetune.run("generic")
    for folder in (paths.pretrained("main"), paths.model("generic")):
        kept = read_model(folder)
        assert torch.equal(kept.prototypes, model.prototypes) and torch.equal(kept.bias, model.bias)
    write(begin | {"training": section()})
    pretrain.run("main")
    kept = read_model(paths.pretrained("main"))
    assert not torch.equal(kept.bias, model.bias)  # it is trained on, as all of the teacher


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"prototypes": None, "bias": None}, "the model to start from has no classifier(.|\n)*leave classifier out"),
        ({"head": HEAD}, "classifier is of the kind Softmax, and the head is ArcFace(.|\n)*name: Softmax"),
        ({"prototypes": torch.randn(7, 8), "bias": None}, "knows 7 identities, and 6 are learnt here"),
        ({"head": {"name": "Softmax", "sample_rate": 0.5}}, "has a bias(.|\n)*leave sample_rate out"),
    ],
)
def test_a_classifier_that_is_not_that_of_these_identities_is_refused(changes, complaint):
    write(with_classifier(**changes)[1])
    with pytest.raises(ParameterError, match=complaint) as error:
        pretrain.run("main")
    assert "backbones.main.start.classifier" in str(error.value)


def test_what_a_model_says_of_itself_goes_with_those_that_start_from_it():
    _, begin = start(metric="euclidean", trained=[ELSEWHERE], provenance=PROVENANCE)
    write(begin, None, generic={"method": "pretrained"}, baseline=baseline())
    pretrain.run("main")
    for name in ("generic", "baseline", "random"):
        finetune.run(name)
    backbone, generic, trained, untrained = (
        read_facts(folder)
        for folder in (paths.pretrained("main"), *map(paths.model, ("generic", "baseline", "random")))
    )
    assert {facts.presentation for facts in (backbone, generic, trained, untrained)} == {"as_cropped"}
    assert [facts.metric for facts in (backbone, generic, untrained)] == ["euclidean"] * 3
    assert trained.metric == "cosine"  # the baseline's own
    assert all(facts.trained[0] == ELSEWHERE for facts in (backbone, generic, trained)) and not untrained.trained
    assert [facts.provenance for facts in (backbone, generic, trained, untrained)] == [*[PROVENANCE] * 3, None]


def test_a_model_to_start_from_is_moved_to_a_gpu_so_that_it_can_be_trained(monkeypatch):
    def moved(module, *args, **kwargs):  # on a processor nothing would move; a change of type makes new tensors too
        return module.double().float()

    _, begin = start()
    write(begin | {"training": section()})
    monkeypatch.setattr(Embedder, "to", moved)
    pretrain.run("main")
    assert len(curves("backbones", "main")) == 1


def test_another_file_than_the_one_that_params_yaml_means_is_refused():
    _, begin = start(sha256="0" * 64)
    write(begin)
    with pytest.raises(TrainingError, match="sha256"):
        pretrain.run("main")


@pytest.mark.parametrize("begin", [{}, {"architecture": ARCHITECTURE, "start": {"model": "x", "sha256": "0" * 64}}])
def test_it_begins_with_an_architecture_or_a_model_and_not_both(begin):
    write({"training": section(), **begin})
    with pytest.raises(ParameterError, match="either an architecture or a model to start from"):
        pretrain.run("main")


def test_native_faces_are_not_made_smaller():
    write(start()[1])
    pretrain.run("main")
    smaller = {"synthesizer": "downsample", "share": 0.5, "heights": [8, 12]}
    write(baseline=baseline(training=section(low_resolution=smaller)))
    with pytest.raises(ParameterError, match=r"trains on native faces alone(.|\n)*methods.baseline.training"):
        finetune.run("baseline")


def test_training_sees_faces_as_they_are_presented():
    embedder, begin = start()
    write_landmark_network()
    write(begin, "arcface_112")
    pretrain.run("main")
    rows = [row for row in whole(paths.AUXILIARY).to_pylist() if row["split"] == "train"]
    points = [np.array(row["landmarks"]).reshape(5, 2) for row in rows]
    faces = [align(decode(row["image"]), where) for row, where in zip(rows, points, strict=True)]
    images = torch.stack([torch.from_numpy(face.transpose(2, 0, 1).copy()) / 255 for face in faces])
    people = sorted({row["identity"] for row in rows})
    labels = torch.tensor([people.index(row["identity"]) for row in rows])
    with torch.inference_mode():
        expected = class_means(embedder(images), labels, len(people))
    assert torch.allclose(read_model(paths.pretrained("main")).prototypes, expected, atol=1e-4)


def test_presentation_and_tight_crops_change_what_is_learnt():
    write_landmark_network()
    seen = {}
    for name, presentation, crops in (("cropped", "as_cropped", 0), ("aligned", "arcface_112", 0), ("tight", None, 1)):
        chosen = section(tight_crops=crops)
        write(start()[1] | {"training": chosen}, presentation or "arcface_112", baseline=baseline(training=chosen))
        pretrain.run("main")
        first = curves("backbones", "main")[0]["classification"]
        write(start()[1], presentation or "arcface_112", baseline=baseline(training=chosen))
        pretrain.run("main")
        finetune.run("baseline")
        seen[name] = first, curves("runs", "baseline")[0]["classification"]
    assert all(len(set(losses)) == 3 for losses in zip(*seen.values(), strict=True)), seen


def test_a_training_on_aligned_faces_needs_their_landmarks_and_another_one_does_not():
    write(start()[1], "as_cropped", baseline=baseline(presentation="arcface_112"))
    pretrain.run("main")
    finetune.run("random")
    with pytest.raises(ResultError, match=r"data/landmarks/native\.parquet"):
        finetune.run("baseline")
    write(start()[1], "arcface_112")
    with pytest.raises(FaceTableError, match=r"data/landmarks/auxiliary\.parquet"):
        pretrain.run("main")


def test_a_model_that_takes_aligned_faces_has_the_landmark_network_beside_it():
    write_landmark_network()
    write(presentation="arcface_112", baseline=baseline(), cropped=baseline(presentation="as_cropped"))
    pretrain.run("main")
    for name in ("baseline", "cropped", "random"):
        finetune.run(name)
    aligned = [paths.pretrained("main"), paths.model("baseline"), paths.model("random")]
    assert [read_facts(folder).presentation for folder in aligned] == ["arcface_112"] * 3
    expected = Path(paths.LANDMARKS, LANDMARK_FILE).read_bytes()
    assert all(Path(folder, LANDMARK_FILE).read_bytes() == expected for folder in aligned)
    assert read_facts(paths.model("cropped")).presentation == "as_cropped"
    assert not Path(paths.model("cropped"), LANDMARK_FILE).exists()
    write(presentation="as_cropped", baseline=baseline())
    pretrain.run("main")
    finetune.run("baseline")
    assert not Path(paths.model("baseline"), LANDMARK_FILE).exists()  # that of the former model


def test_a_new_network_takes_aligned_faces_and_an_imported_one_what_its_publisher_says():
    write_landmark_network()
    write(presentation=None)
    pretrain.run("main")
    assert read_facts(paths.pretrained("main")).presentation == "arcface_112"
    write(start()[1], presentation=None)
    pretrain.run("main")
    assert read_facts(paths.pretrained("main")).presentation == "as_cropped"
    write(start()[1], presentation="arcface_112")
    pretrain.run("main")
    assert read_facts(paths.pretrained("main")).presentation == "arcface_112"


def test_without_the_record_of_the_code_no_training_begins():
    write(baseline=baseline())
    pretrain.run("main")
    for path in (paths.code("runs", "baseline"), paths.code("backbones", "main")):
        path.unlink()
    with pytest.raises(ResultError, match=r"data/code/runs/baseline\.json(.|\n)*lrfr code"):
        finetune.run("baseline")
    with pytest.raises(ResultError, match=r"data/code/backbones/main\.json(.|\n)*lrfr code"):
        pretrain.run("main")


@pytest.mark.parametrize(
    ("stage", "name", "complaint"),
    [
        (pretrain, "mian", r"unknown backbone 'mian'(.|\n)*did you mean 'main'"),
        (finetune, "baselin", r"unknown run 'baselin'(.|\n)*did you mean 'baseline'"),
    ],
)
def test_an_unknown_name_lists_the_known_ones(stage, name, complaint):
    write(baseline=baseline())
    with pytest.raises(ParameterError, match=complaint):
        stage.run(name)


def test_the_same_command_trains_in_two_processes(tmp_path):
    write()
    pretrain.run("main")
    alone = curves("backbones", "main")
    outcome = torchrun("-m", "lrfr", "pretrain", "main", folder=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr.count("| 0/3 [") == 1  # one of them shows the progress
    for row, row_together in zip(alone, curves("backbones", "main"), strict=True):
        assert {name: float(value) for name, value in row_together.items()} == pytest.approx(
            {name: float(value) for name, value in row.items()}, rel=1e-2
        )


def test_a_mistake_of_all_processes_is_told_once(tmp_path):
    write()
    outcome = torchrun("-m", "lrfr", "finetune", "baselin", folder=tmp_path)
    assert outcome.returncode != 0
    assert outcome.stderr.count("unknown run 'baselin'") == 1


def recognizability(**changes):
    weights = {"recognizability_weight": 5, "diversion_weight": 2, "projection_weight": 1}
    return {"method": "ri", "head": HEAD, "unrecognizable": 6, **weights, "training": section()} | changes


def test_ri_learns_beside_unrecognizable_faces_and_predicts_the_quality():
    write_landmark_network()
    write(presentation="arcface_112", full=recognizability(), attended=recognizability(deployed="attended"))
    pretrain.run("main")
    for name in ("full", "attended"):
        finetune.run(name)
    full, attended = (read_model(paths.model(name)) for name in ("full", "attended"))
    assert full.facts.quality == attended.facts.quality == "recognizability"
    images = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        embedding, quality = full.embedder.assess(images)
        # Both come of the same training; the backward pass through another output may round otherwise
        torch.testing.assert_close(quality, attended.embedder.assess(images)[1], rtol=1e-5, atol=1e-5)
        assert torch.equal(embedding, full.embedder(images)) and not torch.equal(embedding, attended.embedder(images))
    told = curves("runs", "full")[0]
    assert {"classification", "recognizability", "index_diversion", "projection"} <= set(told)
    assert read_facts(paths.pretrained("main")).quality is None


@pytest.mark.parametrize(("count", "there"), [(0, "there is none"), (3, "there are 3")])
def test_too_few_unrecognizable_faces_stop_it(count, there):
    write_faces(unrecognizable_rows(count), paths.UNRECOGNIZABLE)
    write(full=recognizability(), plain=recognizability(recognizability_weight=0, projection_weight=0))
    pretrain.run("main")
    with pytest.raises(
        FaceTableError, match=rf"methods\.full\.unrecognizable asks for 6 .* {there}(.|\n)*acquire\.unrec"
    ):
        finetune.run("full")
    finetune.run("plain")  # the diversion alone draws its index


def test_unrecognizable_faces_have_landmarks_of_their_own():
    write_landmark_network()
    write_faces(unrecognizable_rows(9), paths.UNRECOGNIZABLE)
    write(presentation="arcface_112", full=recognizability())
    pretrain.run("main")
    with pytest.raises(FaceTableError, match="landmarks of other faces"):
        finetune.run("full")
