import os
import signal

import numpy as np
import pytest
import torch

from lrfr.errors import InterruptedTrainingError, ParameterError, TrainingError
from lrfr.nn.batches.labelled import validation_batches
from lrfr.nn.training import loop
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.loop import train
from tests.nn.small_training import (
    ADAM,
    DISCRIMINATOR,
    Adversarial,
    Recognition,
    collections,
    run,
    training,
    weights,
)

BOTH = ("auxiliary", "native")
WITH_DISCRIMINATOR = training(optimizers={"discriminator": DISCRIMINATOR})
WAITING = training(optimizers={"discriminator": DISCRIMINATOR | {"schedule": "plateau"}})


def interrupt(number=signal.SIGINT):
    return lambda: os.kill(os.getpid(), number)


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
@pytest.mark.parametrize("stop", [0, 2, 4])
def test_interrupted_and_taken_up_equals_never_interrupted(tmp_path, schedule, stop):
    chosen = training(schedule=schedule, warmup_epochs=0, plateau_patience=0, precision="bf16")
    task, curves = run(tmp_path / "whole", chosen=chosen)
    with pytest.raises(InterruptedTrainingError, match="run the same command again"):
        run(tmp_path / "cut", chosen=chosen, at=stop, act=interrupt())
    again, curves_again = run(tmp_path / "cut", chosen=chosen)
    assert torch.equal(weights(task), weights(again))
    assert curves == curves_again


@pytest.mark.parametrize("stop", [3, 7])
@pytest.mark.parametrize(("main", "own"), [("step", "constant"), ("constant", "plateau"), ("plateau", "step")])
def test_optimisers_with_schedules_of_their_own_are_taken_up_too(tmp_path, main, own, stop):
    of = {"constant": {}, "step": {"milestones": [1, 2]}, "plateau": {"plateau_patience": 0, "plateau_divisor": 2.0}}
    discriminator = DISCRIMINATOR | {"schedule": own} | of[own]
    chosen = training(schedule=main, warmup_epochs=0, optimizers={"discriminator": discriminator}, **of[main])
    task, curves = run(tmp_path / "whole", Adversarial, chosen, BOTH)
    with pytest.raises(InterruptedTrainingError):
        run(tmp_path / "cut", Adversarial, chosen, BOTH, at=stop, act=interrupt())
    again, curves_again = run(tmp_path / "cut", Adversarial, chosen, BOTH)
    assert torch.equal(weights(task), weights(again))
    assert curves == curves_again
    rates = {"main": "learning_rate", "discriminator": "discriminator_learning_rate"}
    told = {name: [row[key] for row in curves] for name, key in rates.items()}
    for name, schedule in (("main", main), ("discriminator", own)):
        initial = chosen.optimization(name).learning_rate
        expected = {"constant": [initial] * 3, "step": [initial, initial / 10, initial / 100]}.get(schedule)
        assert expected is None or told[name] == pytest.approx(expected)


def test_another_trainings_state_is_not_taken_up(tmp_path):
    with pytest.raises(InterruptedTrainingError):
        run(tmp_path, at=4, act=interrupt(signal.SIGTERM), fingerprint="former settings")
    seen = []
    run(tmp_path, at=0, act=lambda: seen.append("from the start"), fingerprint="settings of today")
    assert seen


def test_the_surrounding_number_of_threads_and_workers_changes_nothing(tmp_path, monkeypatch):
    models = []
    for surrounding in (1, 2):
        torch.set_num_threads(surrounding)
        monkeypatch.setattr(loop, "decoding_workers", lambda surrounding=surrounding: surrounding - 1)
        models.append(weights(run(tmp_path / str(surrounding))[0]))
    assert torch.equal(*models)


class Rooted(Recognition):
    """At one update, the loss is finite and its gradient is not."""

    def losses(self, batch, context, optimizer):
        terms = super().losses(batch, context, optimizer)
        return terms | {"root": (0 * terms["length"]).sqrt()} if context.step == self.at else terms


def test_weights_that_are_not_finite_are_neither_saved_nor_handed_back(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    with pytest.raises(TrainingError, match="not finite after update 9"):
        run(tmp_path, Rooted, at=8)
    assert SavedState(tmp_path / "state.pt", "same").read()["step"] == 8


class Broken(Adversarial):
    """The term of one optimizer is not finite from its second turn on."""

    broken, value = "main", torch.inf

    def losses(self, batch, context, optimizer):
        terms = super().losses(batch, context, optimizer)
        if optimizer == self.broken and context.step >= 2:
            terms["broken"] = self.value * terms["adversarial"]
        return terms


@pytest.mark.parametrize(("broken", "whose"), [("main", ""), ("discriminator", " of the optimizer 'discriminator'")])
def test_a_loss_that_is_not_finite_stops_before_the_update_and_is_named(tmp_path, monkeypatch, broken, whose):
    monkeypatch.setattr(Broken, "broken", broken)
    at = 2 if broken == "main" else 3
    steps = []
    monkeypatch.setattr(torch.optim.SGD, "step", lambda *_: steps.append("main"))
    monkeypatch.setattr(torch.optim.Adam, "step", lambda *_: steps.append("discriminator"))
    with pytest.raises(TrainingError, match=f"'broken'{whose} is inf at update {at}; the update was not made"):
        run(tmp_path, Broken, WITH_DISCRIMINATOR, BOTH)
    turns = ["main", "discriminator", "main", "main"]
    assert steps == turns[: 3 if broken == "main" else 4]


def test_each_optimizer_trains_its_own_parameters_at_its_turns(tmp_path):
    seen = []

    class Watched(Adversarial):
        def losses(self, batch, context, optimizer):
            trained = {name for name, value in self.named_parameters() if value.requires_grad}
            seen.append((context.step, optimizer, {name.partition(".")[0] for name in trained}))
            return super().losses(batch, context, optimizer)

    def after_update(self, optimizers):
        touched = {name for name, optimizer in optimizers.items() if optimizer.state}
        assert touched == {"main", "discriminator"} if seen[-1][0] else {"main"}

    Watched.after_update = after_update
    task, curves = run(tmp_path, Watched, WITH_DISCRIMINATOR, BOTH)
    assert seen[:3] == [
        (0, "main", {"embedder", "head"}),
        (1, "discriminator", {"discriminator"}),
        (1, "main", {"embedder", "head"}),
    ]
    assert all(value.requires_grad for value in task.parameters())
    assert {"classification", "length", "adversarial", "discriminator_adversarial"} < set(curves[0])
    assert curves[0]["learning_rate"] > curves[0]["discriminator_learning_rate"] > 0


def test_the_loop_is_plain_gradient_descent(tmp_path):
    """Against a few lines of torch: order of operations, momentum, weight decay and clipping."""
    chosen = training(epochs=1, clip_norm=0.1, warmup_epochs=0)
    task, curves = run(tmp_path, chosen=chosen, dropout=0.0)
    batches = []

    class Collecting(Recognition):
        def before_update(self, batch, context, optimizers):
            batches.append(batch)

    run(tmp_path / "batches", Collecting, chosen, dropout=0.0)
    torch.manual_seed(3)
    expected = Recognition(4, dropout=0.0)
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    losses = []
    for step, batch in enumerate(batches):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 + np.cos(np.pi * step / len(batches))) / 2
        terms = expected.losses(batch, loop.StepContext(step, len(batches), np.random.default_rng(0)), "main")
        optimizer.zero_grad()
        sum(terms.values()).backward()
        torch.nn.utils.clip_grad_norm_(expected.parameters(), 0.1)
        optimizer.step()
        losses.append(terms["classification"].item())
    assert torch.allclose(weights(task), weights(expected), atol=1e-6)
    assert curves[0]["classification"] == pytest.approx(np.mean(losses))


def test_it_learns(tmp_path):
    _, curves = run(tmp_path, chosen=training(epochs=40), dropout=0.0)
    assert curves[-1]["classification"] < 0.5 * curves[0]["classification"]
    assert {"step", "learning_rate", "classification", "length", "validation_classification"} == set(curves[0])


def test_validation_takes_place_at_each_resolution_and_judges_the_average(tmp_path):
    sides = {"validation_sides": [8, 12]}
    _, curves = run(tmp_path / "plain", chosen=training(**sides))
    task, averaged = run(tmp_path / "averaged", chosen=training(ema_decay=0.5, **sides))
    names = ["validation_classification_8px", "validation_classification_12px", "validation_classification"]
    assert [name for name in curves[0] if name.startswith("validation")] == names
    assert curves[0]["classification"] == averaged[0]["classification"]
    for name in names:
        assert curves[-1][name] != averaged[-1][name]
    _, validation = collections("native")
    (faces,) = validation_batches(validation, len(validation))
    kept = task.validation_losses(faces)["classification"].item()
    assert kept == pytest.approx(averaged[-1]["validation_classification"])


def test_what_is_kept_is_the_average_of_the_weights_after_each_update(tmp_path):
    seen = []

    class Watched(Recognition):
        def after_update(self, optimizers):
            seen.append(self.head.weight.detach().clone())

    task, _ = run(tmp_path, Watched, training(ema_decay=0.5))
    torch.manual_seed(3)
    average = Watched(4).head.weight.detach()
    for step, value in enumerate(seen):
        decay = min(0.5, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * value
    assert torch.allclose(task.head.weight, average, atol=1e-6)


def test_the_plateau_watches_all_resolutions(tmp_path, monkeypatch):
    watched = []
    monkeypatch.setattr(loop.Schedule, "end_epoch", lambda _, loss: watched.append(loss))
    _, curves = run(tmp_path, chosen=training(schedule="plateau", warmup_epochs=0, validation_sides=[8]))
    sums = [row["validation_classification_8px"] + row["validation_classification"] for row in curves]
    assert watched == pytest.approx(sums)


def test_the_plateau_watches_one_resolution_alone_where_it_is_told_to(tmp_path, monkeypatch):
    watched = []
    monkeypatch.setattr(loop.Schedule, "end_epoch", lambda _, loss: watched.append(loss))
    chosen = training(schedule="plateau", warmup_epochs=0, validation_sides=[8, 12], watched_side=8)
    _, curves = run(tmp_path, chosen=chosen)
    assert watched == pytest.approx([row["validation_classification_8px"] for row in curves])


@pytest.mark.parametrize("ema_decay", [None, 0.5])
def test_the_best_weights_are_those_of_the_epoch_whose_watched_loss_is_lowest(tmp_path, monkeypatch, ema_decay):
    sides = {"validation_sides": [8, 12], "ema_decay": ema_decay, "epochs": 4}
    epochs = {}

    def watch(task, *args):
        losses = validate(task, *args)
        losses["classification_8px"] = {0: 3.0, 1: 1.0, 2: 2.0, 3: 1.0}[len(epochs)]  # of equal ones the first counts
        losses["classification"] = -float(len(epochs))  # the last epoch's is the lowest of those that nobody watches
        epochs[len(epochs)] = weights(task)
        return losses

    validate = loop.validate
    monkeypatch.setattr(loop, "validate", watch)
    task, _ = run(tmp_path / "best", chosen=training(keep="best", watched_side=8, **sides))
    assert torch.equal(weights(task), epochs[1])
    epochs.clear()
    task, _ = run(tmp_path / "last", chosen=training(**sides))
    assert torch.equal(weights(task), epochs[3])


@pytest.mark.parametrize("stop", [4, 8])
def test_the_best_weights_are_taken_up_too(tmp_path, monkeypatch, stop):
    chosen = training(keep="best", learning_rate=0.5)
    task, _ = run(tmp_path / "whole", chosen=chosen)
    with pytest.raises(InterruptedTrainingError):
        run(tmp_path / "cut", chosen=chosen, at=stop, act=interrupt())
    again, _ = run(tmp_path / "cut", chosen=chosen)
    assert torch.equal(weights(task), weights(again))


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_the_optimiser_is_chosen_by_its_name(tmp_path, optimizer):
    chosen = training(**(ADAM | {"optimizer": optimizer, "betas": [0.8, 0.9], "epochs": 1}))
    kinds = []

    class Watched(Recognition):
        def after_update(self, optimizers):
            kinds.append((type(optimizers["main"]).__name__.lower(), optimizers["main"].defaults["betas"]))

    run(tmp_path, Watched, chosen)
    assert set(kinds) == {(optimizer, (0.8, 0.9))}


def test_no_epochs_leave_the_task_as_it_is(tmp_path):
    untrained = Recognition(4)
    before = weights(untrained)
    faces, validation = collections("native")
    assert train(untrained, faces, validation, training(epochs=0), 3, SavedState(tmp_path / "state.pt", "same")) == []
    assert torch.equal(weights(untrained), before)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (training(schedule="plateau", warmup_epochs=0), "no validation images"),
        (WAITING, "no validation images"),
        (training(keep="best"), "no validation images"),
        (training(precision="fp16"), "'fp16' needs a GPU"),
        (training(optimizers={"generator": DISCRIMINATOR}), "unknown optimizer 'generator'"),
        (training(batch_size=1000), "24 training faces, and a batch takes 1000"),
        (training(shares={"natve": 1.0}), "did you mean 'native'"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_trained(tmp_path, chosen, message):
    if chosen.precision == "fp16" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    faces, _ = collections("native")
    with pytest.raises(ParameterError, match=message):
        train(Recognition(4), faces, None, chosen, 3, SavedState(tmp_path / "state.pt", "same"))
