"""RAN's terms against naive recomputations, and the method that assembles them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrfr.config import settings
from lrfr.errors import ParameterError, TrainingError
from lrfr.methods import ran
from lrfr.nn.embedder import Architecture
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.loop import train
from lrfr.nn.training.task import Faces, StepContext
from tests.methods.backbones import ARCFACE, backbone
from tests.nn.small_training import DISCRIMINATOR, SETTINGS, collections, training, weights

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.2)
CLASSES = {"synthetic": 4, "auxiliary": 4, "native": 3}
ADAPTION = SETTINGS | {"optimizers": {"discriminator": DISCRIMINATOR}}
FULL = {"lr_model": SETTINGS, "training": ADAPTION}
LR_ALONE = {"lr_model": SETTINGS, "training": None}


def build(step="training", architecture=ARCHITECTURE, **changes):
    torch.manual_seed(0)
    task = ran.build(settings(FULL | changes, ran.Settings, "here"), backbone(architecture, 4), CLASSES)
    task.begin(step)
    return task.train()


def now(step=0):
    return StepContext(step, 10, np.random.default_rng(0))


def some(seed=1, count=6):
    return Faces(torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed)), torch.arange(count) % 4)


def pair():
    return {"auxiliary": some(1), "synthetic": some(2)}


def drawn(seed, *shapes):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes]


@given(st.integers(0, 10_000))
def test_the_gate_is_equation_8(seed):
    d, translated, hr = drawn(seed, (5, 1), (5, 3), (5, 3))
    gated = ran.translation_gate(d, translated, hr)
    for face in range(5):
        weight = max(1 - abs(d[face, 0].item() - 0.5), 0.0)
        for number in range(3):
            naive = weight * translated[face, number].item() + (1 - weight) * hr[face, number].item()
            assert gated[face, number].item() == pytest.approx(naive)


def test_the_gate_is_open_where_the_discriminator_does_not_know_and_takes_no_gradient():
    d = torch.tensor([[0.5], [0.0], [1.0], [7.0]], requires_grad=True)
    assert ran.gate_weight(d).tolist() == [[1.0], [0.5], [0.5], [0.0]]
    hr = torch.randn(4, 3, requires_grad=True)
    ran.translation_gate(d, torch.randn(4, 3), hr).sum().backward()
    assert d.grad is None and hr.grad is not None


@given(st.integers(0, 10_000))
def test_equation_9_draws_features_and_probabilities_together(seed):
    translated, real = drawn(seed, (4, 5), (4, 5))

    def unit(vector):
        return [value / math.sqrt(sum(x * x for x in vector)) for value in vector]

    def softmax(vector):
        total = sum(math.exp(value) for value in vector)
        return [math.exp(value) / total for value in vector]

    pairs = list(zip(translated.tolist(), real.tolist(), strict=True))
    naive = sum(abs(a - b) for t, r in pairs for a, b in zip(unit(t), unit(r), strict=True)) / 20
    assert ran.feature_loss(translated, real).item() == pytest.approx(naive, rel=1e-5)
    naive = sum(p * math.log(p / q) for t, r in pairs for q, p in zip(softmax(t), softmax(r), strict=True)) / 4
    assert ran.probability_loss(translated, real).item() == pytest.approx(naive, rel=1e-4, abs=1e-6)
    assert ran.feature_loss(real, 3 * real).item() == pytest.approx(0, abs=1e-6)
    assert ran.probability_loss(real, real).item() == pytest.approx(0, abs=1e-6)


def test_equation_10_has_the_papers_weights_and_the_adversarial_term_every_fourth_update():
    assert [step for step in range(9) if "adversarial" in build().losses(pair(), now(step), "main")] == [3, 7]
    found = build().losses(pair(), now(3), "main")
    doubled = build(adversarial_weight=0.1, probability_weight=0.08, feature_weight=20.0).losses(pair(), now(3), "main")
    assert set(found) == {"classification", "adversarial", "probability", "feature"}
    for name, value in found.items():
        assert doubled[name].item() == pytest.approx(value.item() * (1 if name == "classification" else 2), rel=1e-5)


def gradients(task, optimizer, step=3):
    if optimizer == "discriminator":
        task.losses(pair(), now(step), "main")  # whose features it sees
    task.zero_grad(set_to_none=True)
    torch.stack(list(task.losses(pair(), now(step), optimizer).values())).sum().backward()
    return {name.split(".")[0] for name, value in task.named_parameters() if value.grad is not None}


def test_each_player_learns_from_its_own_terms():
    task = build()
    assert gradients(task, "discriminator") == {"discriminator"}
    reached = gradients(task, "main")
    assert {"high", "high_head", "translator"} <= reached and not {"low", "low_head"} & reached
    groups = task.parameter_groups()
    judges = {id(value) for value in task.discriminator.parameters()}
    assert {id(value) for group in groups["discriminator"] for value in group["params"]} == judges
    main = {id(value) for group in groups["main"] for value in group["params"]}
    of = [task.high.parameters(), task.high_head.parameters(), task.translator.parameters()]
    assert main == {id(value) for some in of for value in some if value.requires_grad}


def test_the_lr_model_learns_alone_and_is_frozen_afterwards():
    task = build("lr_model")
    assert set(task.parameter_groups()) == {"main"} and task.turns(0) == ("main",)
    assert task.low.training and not task.high.training
    terms = task.losses({"synthetic": some()}, now(), "main")
    assert set(terms) == {"classification"}
    terms["classification"].backward()
    assert {name.split(".")[0] for name, value in task.named_parameters() if value.grad is not None} == {
        "low", "low_head"
    }  # fmt: skip
    task.begin("training")
    task.train()
    assert not task.low.training and task.high.training
    assert not any(value.requires_grad for value in task.low.parameters())


def in_steps(tmp_path, names=("lr_model", "training"), **changes):
    """A run's steps, one after the other, on a few faces; the task and the curves of each."""
    task, curves = build(names[0], **changes), []
    for number, name in enumerate(names):
        task.begin(name)
        faces, validation = collections(*ran.COLLECTIONS[name])
        chosen = getattr(task.settings, name)
        state = SavedState(tmp_path / f"{name}.pt", "same")
        curves.append(train(task, faces, validation, chosen, 3 + number, state))
    return task, curves


def test_it_trains_and_shows_every_term(tmp_path):
    task, (first, second) = in_steps(tmp_path)
    assert set(first[-1]) == {"step", "learning_rate", "classification", "validation_classification"}
    assert set(second[-1]) == {
        "step", "learning_rate", "discriminator_learning_rate", "classification", "adversarial", "probability",
        "feature", "gate", "discriminator_adversarial", "discriminator_accuracy", "validation_classification",
    }  # fmt: skip
    assert 0 <= second[-1]["discriminator_accuracy"] <= 1 and 0 <= second[-1]["gate"] <= 1
    assert task.embedder is task.high


def test_the_lr_model_of_a_run_that_adapts_is_that_of_one_that_does_not(tmp_path):
    """So the rows of Table 1 with and without adaption have the same LR model."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    adapted, _ = in_steps(tmp_path / "a")
    alone, _ = in_steps(tmp_path / "b", names=("lr_model",), **LR_ALONE)
    assert alone.embedder is alone.low
    assert torch.equal(weights(adapted.low), weights(alone.low))


def test_without_the_translator_it_is_plain_adaption_bit_for_bit(tmp_path):
    class Plain(ran.ResolutionAdaption):
        """ArcFace on HR faces, and eq 9 between their features and the LR model's."""

        def losses(self, batch, context, optimizer):
            if self.step == "lr_model":
                return super().losses(batch, context, optimizer)
            sharp, small = batch["auxiliary"], batch["synthetic"]
            features = self.high(sharp.images)
            with torch.no_grad():
                real = self.low(small.images)
            return {
                "classification": torch.nn.functional.cross_entropy(
                    self.high_head(features, sharp.labels), sharp.labels
                ),
                "probability": 0.04 * ran.probability_loss(self.low_head.plain(features), self.low_head.plain(real)),
                "feature": 10.0 * ran.feature_loss(features, real),
            }

    off = {"translator": False, "training": SETTINGS}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours, curves = in_steps(tmp_path / "a", **off)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ran, "ResolutionAdaption", Plain)
        plain, expected = in_steps(tmp_path / "b", **off)
    assert torch.equal(weights(ours), weights(plain))
    assert curves == expected


def stopped_and_resumed(tmp_path, at):
    """The adaption, killed at an update and run again."""

    class Stop(Exception):  # noqa: N818 - no error
        pass

    def step(fail):
        task = build()
        faces, validation = collections("auxiliary", "synthetic")
        if fail:
            update = task.after_update

            def stop(optimizers):
                task.count = getattr(task, "count", 0) + 1
                update(optimizers)
                if task.count == at:
                    raise Stop

            task.after_update = stop
        state = SavedState(tmp_path / "state.pt", "same")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lrfr.nn.training.loop.SECONDS_BETWEEN_CHECKPOINTS", -1.0)
            return task, train(task, faces, validation, task.settings.training, 3, state)

    if at:
        with pytest.raises(Stop):
            step(fail=True)
    return step(fail=False)


def test_a_resumed_adaption_ends_as_one_that_was_never_stopped(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, curves = stopped_and_resumed(tmp_path / "a", 0)
    again, resumed = stopped_and_resumed(tmp_path / "b", 5)
    assert torch.equal(weights(whole), weights(again)) and curves == resumed


def test_a_collapse_is_seen_and_stopped_with_one_message(tmp_path):
    collapse = {"accuracy": 0.51, "window": 3}  # hardly an update has 49 to 51 % right
    with pytest.raises(TrainingError, match=r"adversarial training has collapsed(.|\n)*for 3 updates(.|\n)*do:"):
        in_steps(tmp_path, ("training",), collapse=collapse, training=ADAPTION | {"epochs": 20})


def test_a_term_that_is_no_number_is_told_with_its_player(tmp_path, monkeypatch):
    monkeypatch.setattr(ran, "discriminator_loss", lambda real, made: real.sum() * float("nan"))
    with pytest.raises(TrainingError, match=r"'adversarial' of the optimizer 'discriminator' is nan at update 0"):
        in_steps(tmp_path, ("training",))


def test_finetuning_learns_native_faces_with_a_head_of_their_own(tmp_path):
    task = build("finetuning", finetuning=SETTINGS, **LR_ALONE)
    assert len(task.native_head.weight) == 3 and task.native_head.scale == ARCFACE["scale"]
    faces = Faces(some().images, some().labels % 3)
    task.losses({"native": faces}, now(), "main")["classification"].backward()
    reached = {name.split(".")[0] for name, value in task.named_parameters() if value.grad is not None}
    assert reached == {"low", "native_head"}


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (lambda: backbone(ARCHITECTURE, 4, head=None), "start with the backbone's classifier, and it has none"),
        (lambda: backbone(ARCHITECTURE, 7), "knows 7 identities, and the synthetic faces show 4"),
    ],
)
def test_a_backbone_of_other_people_is_refused(model, complaint):
    with pytest.raises(ParameterError, match=complaint):
        ran.build(settings(FULL, ran.Settings, "here"), model(), CLASSES)


def test_faces_of_a_pair_are_drawn_alike(tmp_path):
    """Rows and seeds: both see the same shift."""
    seen = []
    task = build()
    task.losses = lambda batch, context, optimizer: seen.append(batch) or {"x": task.high_head.weight.sum() * 0}
    task.turns = lambda step: ("main",)
    faces, _ = collections("auxiliary", "synthetic")
    train(task, faces, None, training(), 3, SavedState(tmp_path / "state.pt", "same"))
    assert seen and all(torch.equal(batch["auxiliary"].images, batch["synthetic"].images) for batch in seen)
