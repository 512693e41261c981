"""pretrain and finetune on small tables."""

import csv
import hashlib
from pathlib import Path

import pytest
import torch

from lrfr import paths
from lrfr.errors import ParameterError, TrainingError
from lrfr.nn.batches.labelled import labelled, validation_batches
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.heads import class_means
from lrfr.nn.model_file import FILE, read_model, write_model
from lrfr.stages import finetune, pretrain
from tests.face_tables import write_params, write_split
from tests.nn.small_training import training
from tests.nn.torchrun import torchrun

ARCHITECTURE = {"backbone": "lrfr_ir18", "width": 0.0625, "embedding_dim": 8, "input_size": 16, "dropout": 0.0}
HEAD = {"name": "ArcFace", "scale": 16.0, "margin": 0.2}


def section(**changes):
    return training(**{"epochs": 1, **changes}).model_dump(exclude_unset=True)


def write(pretrain=None, **methods):
    begin = pretrain or {"architecture": ARCHITECTURE, "training": section()}
    write_params(threads=1, pretrain={"head": HEAD, **begin}, methods={"random": {}, **methods})


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_split()


def start(sha256=None):
    torch.manual_seed(0)
    embedder = Embedder(Architecture(**ARCHITECTURE)).eval()
    write_model(Path("imported/published"), embedder)
    found = hashlib.sha256(Path("imported/published", FILE).read_bytes()).hexdigest()
    begin = {"model": "imported/published", "sha256": sha256 or found}
    return embedder, {"start": begin, "training": section(epochs=0)}


def curves(name):
    with paths.curve("training", name).open() as lines:
        return list(csv.DictReader(lines))


def test_one_pretraining_and_two_methods():
    write(
        baseline={"head": HEAD, "training": section()},
        tc={
            "distillation_weight": 0.1,
            "scale": 16.0,
            "smallest_exponent": 3,
            "largest_exponent": 3,
            "training": section(validation_sides=[8], low_resolution={
                "synthesizer": "downsample", "share": 0.5, "heights": [8, 12]
            }),
        },
    )  # fmt: skip
    pretrain.run()
    for name in ("baseline", "tc", "random"):
        finetune.run(name)
    assert read_model(paths.PRETRAINED)[1].shape == (6, 8)
    assert [float(row["learning_rate"]) > 0 for row in curves("tc")] == [True]
    assert "validation_classification_8px" in curves("tc")[0]
    assert "validation_classification" not in curves("baseline")[0]  # native faces have no validation rows
    assert curves("random") == []
    assert not list(Path("checkpoints").glob("*"))
    assert paths.live("tc").is_dir()
    before, after = (read_model(folder)[0].state_dict() for folder in (paths.PRETRAINED, paths.model("baseline")))
    assert not all(torch.equal(value, after[name]) for name, value in before.items())


def test_an_imported_backbone_is_used_as_it_is_and_its_prototypes_are_class_means():
    embedder, begin = start()
    write(begin)
    pretrain.run()
    kept, prototypes = read_model(paths.PRETRAINED)
    assert all(torch.equal(value, kept.state_dict()[name]) for name, value in embedder.state_dict().items())
    faces, _, classes = labelled(paths.AUXILIARY, (16, 16))
    (batch,) = validation_batches(faces, len(faces))
    with torch.inference_mode():
        expected = class_means(embedder(batch.images), batch.labels, classes)
    assert torch.allclose(prototypes, expected, atol=1e-5)


def test_a_model_to_start_from_is_moved_to_a_gpu_so_that_it_can_be_trained(monkeypatch):
    def moved(module, *args, **kwargs):  # on a processor nothing would move; a change of type makes new tensors too
        return module.double().float()

    _, begin = start()
    write(begin | {"training": section()})
    monkeypatch.setattr(Embedder, "to", moved)
    pretrain.run()
    assert len(curves("pretrained")) == 1


def test_another_file_than_the_one_that_params_yaml_means_is_refused():
    _, begin = start(sha256="0" * 64)
    write(begin)
    with pytest.raises(TrainingError, match="sha256"):
        pretrain.run()


@pytest.mark.parametrize("begin", [{}, {"architecture": ARCHITECTURE, "start": {"model": "x", "sha256": "0" * 64}}])
def test_it_begins_with_an_architecture_or_a_model_and_not_both(begin):
    write({"training": section(), **begin})
    with pytest.raises(ParameterError, match="either an architecture or a model to start from"):
        pretrain.run()


def test_native_faces_are_not_made_smaller():
    write(start()[1])
    pretrain.run()
    smaller = {"synthesizer": "downsample", "share": 0.5, "heights": [8, 12]}
    write(baseline={"head": HEAD, "training": section(low_resolution=smaller)})
    with pytest.raises(ParameterError, match="trains on native faces alone"):
        finetune.run("baseline")


def test_faces_are_aligned_where_the_training_says_so():
    seen = []
    for changes in ({}, {"alignment": {"share": 1.0, "tight": 0.5}}):
        chosen = section(**changes)
        write(start()[1], baseline={"head": HEAD, "training": chosen})
        pretrain.run()
        finetune.run("baseline")
        write(start()[1] | {"training": chosen})
        pretrain.run()
        seen.append([curves(name)[0]["classification"] for name in ("pretrained", "baseline")])
    assert all(plain != aligned for plain, aligned in zip(*seen, strict=True))


def test_the_same_command_trains_in_two_processes(tmp_path):
    write()
    pretrain.run()
    alone = curves("pretrained")
    outcome = torchrun("-m", "lrfr", "pretrain", folder=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr.count("3/3") == 1  # one of them shows the progress
    for row, row_together in zip(alone, curves("pretrained"), strict=True):
        assert {name: float(value) for name, value in row_together.items()} == pytest.approx(
            {name: float(value) for name, value in row.items()}, rel=1e-2
        )


def test_a_mistake_of_all_processes_is_told_once(tmp_path):
    write()
    outcome = torchrun("-m", "lrfr", "finetune", "baselin", folder=tmp_path)
    assert outcome.returncode != 0
    assert outcome.stderr.count("unknown method 'baselin'") == 1
