import os
import signal

import pytest
import torch

from lrfr.errors import InterruptedTrainingError, ParameterError, TrainingError
from lrfr.nn.backbones import Architecture, Embedder
from lrfr.nn.checkpoint import SavedState, fingerprint
from lrfr.nn.classifier import Classifier, MarginHead
from lrfr.nn.compute import make_deterministic
from lrfr.nn.data import BatchOrder, labelled
from lrfr.nn.training import Training, learning_rate, train
from tests.face_tables import face_table

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=24, dropout=0.3)
TRAINING = Training(
    epochs=3,
    batch_size=8,
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=1e-4,
    schedule="cosine",
    warmup_epochs=1,
    clip_norm=5,
    precision="bf16",
)


class Interrupted(Classifier):
    """Does something at one update, such as what Ctrl-C does."""

    at, act = -1, staticmethod(lambda: None)

    def losses(self, images, labels, moment):
        if moment.step == self.at:
            self.act()
        return super().losses(images, labels, moment)


def run(folder, training=TRAINING, at=-1, act=lambda: None, fingerprint="same", threads=1):
    faces, validation, classes = labelled(face_table(splits=("train", "train", "train", "train", "validation")), 24)
    make_deterministic(3, threads)
    task = Interrupted(Embedder(ARCHITECTURE), MarginHead(name="ArcFace", scale=16, margin=0.2), classes)
    task.at, task.act = at, act
    curves = train(task, faces, validation, training, 3, SavedState(folder / "state.pt", fingerprint))
    return task, curves


def weights(task):
    return torch.cat([value.flatten().float() for value in task.state_dict().values()])


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
@pytest.mark.parametrize("stop", [0, 3, 5])
def test_interrupted_and_taken_up_equals_never_interrupted(tmp_path, schedule, stop):
    training = TRAINING.model_copy(update={"schedule": schedule, "plateau_patience": 0})
    task, curves = run(tmp_path / "whole", training)
    with pytest.raises(InterruptedTrainingError, match="run the same command again"):
        run(tmp_path / "cut", training, at=stop, act=lambda: os.kill(os.getpid(), signal.SIGINT))
    again, curves_again = run(tmp_path / "cut", training)
    assert torch.equal(weights(task), weights(again))
    assert curves == curves_again


def test_another_trainings_state_is_not_taken_up(tmp_path):
    with pytest.raises(InterruptedTrainingError):
        run(tmp_path, at=4, act=lambda: os.kill(os.getpid(), signal.SIGTERM), fingerprint="former settings")
    seen = []
    run(tmp_path, at=0, act=lambda: seen.append("from the start"), fingerprint="settings of today")
    assert seen


def test_a_loss_that_is_not_finite_stops_before_the_update_and_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(Classifier, "losses", lambda *_: {"broken": torch.tensor(float("nan"), requires_grad=True)})
    with pytest.raises(TrainingError, match="'broken' is nan at update 0"):
        run(tmp_path)


def test_the_surrounding_number_of_threads_changes_nothing(tmp_path):
    models = []
    for surrounding in (1, 2):
        torch.set_num_threads(surrounding)
        task, _ = run(tmp_path / str(surrounding), TRAINING.model_copy(update={"epochs": 1}))
        models.append(weights(task))
    assert torch.equal(*models)


def test_a_plateau_cannot_be_watched_for_without_validation_images(tmp_path):
    faces, _, classes = labelled(face_table(), 24)
    task = Classifier(Embedder(ARCHITECTURE), MarginHead(name="ArcFace", scale=16, margin=0.2), classes)
    training = TRAINING.model_copy(update={"schedule": "plateau"})
    with pytest.raises(ParameterError, match="no validation images"):
        train(task, faces, None, training, 3, SavedState(tmp_path / "state.pt", "same"))


def test_a_change_of_code_or_settings_changes_the_fingerprint(tmp_path):
    code = tmp_path / "method.py"
    code.write_text("a")
    before = fingerprint({"a": 1}, code)
    assert fingerprint({"a": 1}, code) == before != fingerprint({"a": 2}, code)
    code.write_text("b")
    assert fingerprint({"a": 1}, code) != before


def test_it_learns(tmp_path):
    _, curves = run(tmp_path, TRAINING.model_copy(update={"epochs": 40}))
    assert curves[-1]["classification"] < 0.5 * curves[0]["classification"]
    assert {"step", "learning_rate", "classification", "validation_full"} == set(curves[0])


def test_every_face_is_seen_once_an_epoch_and_resuming_changes_no_batch():
    order = BatchOrder(rows=12, batch_size=4, epochs=2, seed=1)
    batches = list(order)
    assert sorted(row for batch in batches[:3] for row, _ in batch) == list(range(12))
    assert [row for row, _ in batches[0]] != [row for row, _ in batches[3]]
    assert list(BatchOrder(12, 4, 2, 1, first_step=2)) == batches[2:]


def test_the_cosine_schedule_warms_up_and_ends_near_zero():
    rates = [learning_rate(TRAINING, step, 10) for step in range(30)]
    assert rates[0] == pytest.approx(0.005)
    assert max(rates) == pytest.approx(0.05)
    assert rates[-1] < 0.001
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_a_hostile_state_is_not_executed(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "broken-in"),))

    torch.save({"fingerprint": "same", "task": Hostile()}, tmp_path / "state.pt")
    with pytest.raises(TrainingError, match=r"cannot be read\n.*state\.pt\n.*remove the file"):
        SavedState(tmp_path / "state.pt", "same").read()
    assert not (tmp_path / "broken-in").exists()
