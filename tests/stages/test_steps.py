"""finetune, of a method with two steps."""

import csv
import os
import signal
from pathlib import Path

import pytest
import torch

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import InterruptedTrainingError
from lrfr.methods.csri import SuperResolvedRecognition
from lrfr.nn.batches.order import MixedOrder
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import FILE, Facts, Model, TrainedStep, read_facts, read_model, write_model
from lrfr.nn.training import steps
from lrfr.stages import code, finetune
from tests.face_tables import write_params, write_split
from tests.nn.small_training import training
from tests.nn.torchrun import torchrun

ARCHITECTURE = {"backbone": "lrfr_ir18", "width": 0.125, "embedding_dim": 8, "input_size": 16, "dropout": 0.0}


def section(**changes):
    return training(**{"epochs": 2, **changes}).model_dump(exclude_unset=True)


def write(**changes):
    """Two steps, of 6 and of 12 updates."""
    written = {
        "method": "csri",
        "backbone": "main",
        "learning": "csri",
        "super_resolution": {"network": "vdsr", "width": 0.125},
        "head": {"name": "Softmax"},
        "sides": [8],
        "sr_weight": 0.003,
        "synthetic": section(),
        "training": section(shares={"auxiliary": 1.0, "native": 1.0}),
    }
    write_params(threads=1, methods={"random": {"method": "random", "backbone": "main"}, "csri": written | changes})
    code.run()


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_split()
    torch.manual_seed(0)
    head = {"name": "Softmax"}
    write_model(
        paths.pretrained("main"), Model(Embedder(Architecture(**ARCHITECTURE)), Facts(head=head), torch.randn(6, 8))
    )
    write()


def run(monkeypatch, stop=None):
    """Runs csri; the (step, update) that it makes. Ctrl-C comes at ``stop``."""
    made = []
    losses = SuperResolvedRecognition.losses

    def watched(task, batch, context, optimizer):
        (step,) = (name for name, objective in task.objectives.items() if objective is task.objective)
        made.append((step, context.step))
        if made[-1] == stop:
            os.kill(os.getpid(), signal.SIGINT)
        return losses(task, batch, context, optimizer)

    with monkeypatch.context() as patched:
        patched.setattr(SuperResolvedRecognition, "losses", watched)
        if stop is None:
            finetune.run("csri")
        else:
            with pytest.raises(InterruptedTrainingError, match="run the same command again"):
                finetune.run("csri")
    return made


def curves():
    with paths.training_curve("runs", "csri").open() as lines:
        return list(csv.DictReader(lines))


def results():
    return Path(paths.model("csri"), FILE).read_bytes(), paths.training_curve("runs", "csri").read_bytes()


def left():
    return {file.name for file in Path("checkpoints/runs").iterdir()}


def test_one_step_follows_the_other_and_stopped_in_both_they_end_alike(monkeypatch):
    write(synthetic=section(ema_decay=0.9))
    whole_run = run(monkeypatch)
    assert whole_run == [("synthetic", update) for update in range(6)] + [("training", update) for update in range(12)]
    whole = results()
    made = run(monkeypatch, ("synthetic", 4))
    assert left() == {"csri.synthetic.pt"}
    made += run(monkeypatch, ("training", 7))
    assert left() == {"csri.synthetic.pt", "csri.training.pt"}
    assert made + run(monkeypatch) == whole_run  # no update is made twice
    assert results() == whole
    assert not left()


def test_the_curves_of_all_steps_are_one_after_the_other():
    finetune.run("csri")
    rows = curves()
    assert [row["step"] for row in rows] == ["3", "6", "12", "18"]
    assert [bool(row["native_classification"]) for row in rows] == [False, False, True, True]
    assert all(row["super_resolution"] and row["validation_super_resolution"] for row in rows)
    assert {folder.name for folder in paths.live("runs", "csri").iterdir()} == {"synthetic", "training"}
    assert read_model(paths.model("csri")).embedder.architecture.super_resolution is not None


def test_a_step_begins_anew_where_it_or_an_earlier_one_is_set_otherwise(monkeypatch):
    run(monkeypatch, ("training", 7))
    write(training=section(epochs=1))
    assert run(monkeypatch, ("training", 3)) == [("training", update) for update in range(4)]
    write(synthetic=section(epochs=1), training=section(epochs=1))
    made = run(monkeypatch)
    assert made == [("synthetic", update) for update in range(3)] + [("training", update) for update in range(6)]


def test_another_run_s_state_and_another_s_code_are_not_gone_on_with(monkeypatch):
    run(monkeypatch, ("training", 7))
    record = paths.code("runs", "csri")
    text = record.read_text()
    record.write_text(text.replace('"methods/csri.py": "', '"methods/csri.py": "0'))
    assert run(monkeypatch, ("synthetic", 2)) == [("synthetic", update) for update in range(3)]
    record.write_text(text)
    assert run(monkeypatch, ("synthetic", 1)) == [("synthetic", update) for update in range(2)]


def test_the_model_says_what_each_step_learnt_from():
    write(synthetic=section(), training=section(shares={"auxiliary": 3.0, "native": 1.0}))
    finetune.run("csri")
    facts = read_facts(paths.model("csri"))
    assert facts.metric == "euclidean"  # the paper's
    assert facts.head is not None and facts.head["name"] == "Softmax"
    assert facts.trained == [
        TrainedStep(step="synthetic", faces={"auxiliary": 24}, passes={"auxiliary": 2.0}, updates=6),
        TrainedStep(
            step="training", faces={"auxiliary": 24, "native": 20}, passes={"auxiliary": 2.0, "native": 0.8}, updates=8
        ),
    ]


def test_each_step_has_an_order_of_its_own_and_the_first_the_one_it_always_had(monkeypatch):
    seeds = []

    def watched(task, faces, validation, training, seed, *rest):
        seeds.append(seed)
        order = MixedOrder({"auxiliary": faces["auxiliary"].labels}, 8, 1, seed)
        rows.append([row for update in order for row, _ in update["auxiliary"]])
        return train(task, faces, validation, training, seed, *rest)

    rows, train = [], steps.train
    monkeypatch.setattr(steps, "train", watched)
    finetune.run("csri")
    assert seeds[0] == read_params().seed
    assert rows[0] != rows[1]


def test_several_processes_train_as_one_does(tmp_path):
    slow = section(learning_rate=0.002)  # or rounding grows from update to update
    write(synthetic=slow, training=slow)
    finetune.run("csri")
    alone = curves()
    outcome = torchrun("-m", "lrfr", "finetune", "csri", folder=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    for row, row_together in zip(alone, curves(), strict=True):
        assert {name: float(value or -1) for name, value in row_together.items()} == pytest.approx(
            {name: float(value or -1) for name, value in row.items()}, rel=1e-2, abs=1e-5
        )
