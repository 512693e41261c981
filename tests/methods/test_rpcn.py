"""RPCN: coupling of the channels, its loss, its steps."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from torch.nn import functional as F

from lrfr import paths
from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.methods import rpcn
from lrfr.nn.embedder import Architecture
from lrfr.nn.model_file import read_model, write_model
from lrfr.nn.networks.rpcn import HighResolutionChannel, Rpcn
from lrfr.nn.networks.shape import Shape
from lrfr.nn.resolution import at_resolution
from lrfr.nn.training.task import Faces, StepContext
from lrfr.stages import code, finetune
from tests.face_tables import write_params, write_split
from tests.landmark_tables import write_landmarks
from tests.methods.backbones import backbone
from tests.nn.small_training import training

PRETRAINED = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=12, input_size=[24, 20], dropout=0.0)
TRAINING = training(epochs=1, warmup_epochs=0)
CHOSEN = {"width": 0.25, "coupled": [0.25, 0.5, 0.75], "huber_threshold": 0.1, "sides": [6, 10]}
SETTINGS = rpcn.Settings(**CHOSEN, super_resolution=TRAINING, recognition=TRAINING, training=TRAINING)
FILTERS, LENT = (16, 8, 8), (4, 4, 6)
CONVOLUTIONS = ("first", "second", "third")


def build():
    torch.manual_seed(0)
    return rpcn.build(SETTINGS, backbone(PRETRAINED), {"auxiliary": 5, "native": 4})


def faces(count=4, classes=4):
    torch.manual_seed(1)
    return Faces(torch.rand(count, 3, 24, 20), torch.arange(count) % classes)


def context():
    return StepContext(3, 10, np.random.default_rng(5))


def reached(task, step):
    """The parameters that a step's losses reach, and those that it trains."""
    task.train().begin(step)
    task.zero_grad()
    sum(task.losses({rpcn.STEPS[step][0]: faces()}, context(), "main").values()).backward()
    trained = {id(value) for group in task.parameter_groups()["main"] for value in group["params"]}
    parameters = dict(task.named_parameters())
    gradients = {name for name, value in parameters.items() if value.grad is not None and value.grad.any()}
    return gradients, {name for name, value in parameters.items() if id(value) in trained}


def test_the_network_has_the_pretrained_ones_size_and_dimension():
    architecture = build().embedder.architecture
    assert architecture.backbone == "lrfr_rpcn"
    assert architecture.size == PRETRAINED.size
    assert architecture.embedding_dim == PRETRAINED.embedding_dim
    assert build().eval().embed(torch.rand(2, 3, 11, 9)).shape == (2, 12)


@trials(deadline=None, max_examples=25)
@given(shares=st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3))
def test_a_channels_layer_is_the_lent_filters_and_its_own(shares):
    low = Rpcn(Shape(size=(12, 12), embedding_dim=4, dropout=0.0, width=0.125))
    high = HighResolutionChannel(low, shares)
    images = expected = torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        for name in CONVOLUTIONS:  # biases start at 0
            getattr(low, name).bias.normal_()
            getattr(high, name).own.bias.normal_()
        for name, share, filters in zip(CONVOLUTIONS, shares, (8, 4, 4), strict=True):
            lender, layer = getattr(low, name), getattr(high, name)
            lent = int(share * filters)
            assert layer.own.weight.shape == (filters - lent, *lender.weight.shape[1:])
            theirs = lender(expected)[:, :lent]
            expected = torch.cat([theirs, layer.own(expected)], 1).relu()
        assert torch.allclose(high.features(images, low), expected, atol=1e-5)


def test_lent_filters_are_one_tensor_and_the_others_are_of_each_channel():
    task = build()
    for name, lent, filters in zip(CONVOLUTIONS, LENT, FILTERS, strict=True):
        own, low = getattr(task.high, name).own.weight, getattr(task.low, name).weight
        assert [len(value) for value in getattr(task.high, name).parameters()] == [filters - lent] * 2
        assert own.data_ptr() != low.data_ptr()
        assert not torch.equal(own, low[lent:])
    hr = faces().images
    before = task.high.features(hr, task.low)
    task.low.third.weight.data[: LENT[2]] += 1
    after = task.high.features(hr, task.low)
    assert not torch.equal(after[:, : LENT[2]], before[:, : LENT[2]])
    assert torch.equal(after[:, LENT[2] :], before[:, LENT[2] :])


def test_the_hr_term_reaches_lent_filters_and_no_others_of_the_lr_channel():
    task = build()
    task.begin("super_resolution")
    task.losses({"auxiliary": faces()}, context(), "main")["hr_reconstruction"].backward()
    for name, lent in zip(CONVOLUTIONS, LENT, strict=True):
        gradient = getattr(task.low, name).weight.grad.flatten(1).any(1)
        assert gradient[:lent].any()
        assert not gradient[lent:].any()
        assert getattr(task.high, name).own.weight.grad.any()


def test_the_robust_loss_is_hubers():
    torch.manual_seed(0)
    made, hr = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    errors = (made - hr).abs().flatten().tolist()
    expected = np.mean([e**2 / 2 if e <= 0.3 else 0.3 * (e - 0.3 / 2) for e in errors])
    assert min(errors) < 0.3 < max(errors)
    assert rpcn.robust_sr_loss(made, hr, 0.3).item() == pytest.approx(expected, rel=1e-5)
    assert rpcn.robust_sr_loss(made.bfloat16(), hr, 0.3).dtype == torch.float32


def test_super_resolution_makes_the_hr_face_of_the_lr_and_of_itself():
    task = build()
    task.begin("super_resolution")
    batch = {"auxiliary": faces()}
    terms = task.losses(batch, context(), "main")
    hr = batch["auxiliary"].images
    lr = rpcn.low_resolution_pairs(hr, SETTINGS.sides, "bicubic", context())
    low = task.low.forward_features(lr * 2 - 1)
    high = task.high.features(hr * 2 - 1, task.low)
    made = {
        "super_resolution": task.reconstruction["low"](low),
        "hr_reconstruction": task.reconstruction["high"](high),
    }
    assert terms.keys() == made.keys()
    for name, images in made.items():
        assert terms[name].item() == pytest.approx(rpcn.robust_sr_loss(images, hr, 0.1).item(), rel=1e-5)


def test_both_channels_classify_by_one_fc_layer_and_one_softmax():
    task = build()
    task.begin("recognition")
    batch = {"auxiliary": faces()}
    terms = task.losses(batch, context(), "main")
    hr, labels = batch["auxiliary"].images, batch["auxiliary"].labels
    lr = rpcn.low_resolution_pairs(hr, SETTINGS.sides, "bicubic", context())
    embeddings = {
        "classification": task.embed(lr),
        "hr_classification": task.low.output(task.high.features(hr * 2 - 1, task.low)),
    }
    assert terms.keys() == embeddings.keys()
    for name, embedding in embeddings.items():
        expected = F.cross_entropy(embedding @ task.heads["auxiliary"].weight.T, labels)
        assert terms[name].item() == pytest.approx(expected.item(), rel=1e-4)


def test_native_faces_are_classified_as_they_are_by_the_lr_channel():
    task = build()
    task.begin("training")
    native = faces()
    terms = task.losses({"native": native}, context(), "main")
    expected = F.cross_entropy(task.embed(native.images) @ task.heads["native"].weight.T, native.labels)
    assert {name: value.item() for name, value in terms.items()} == {"classification": pytest.approx(expected.item())}


def test_each_step_trains_what_its_losses_reach_and_nothing_else():
    task = build()
    convolutions = tuple(f"embedder.backbone.{name}" for name in CONVOLUTIONS)
    for step, parts in {
        "super_resolution": (*convolutions, "high", "reconstruction"),
        "recognition": ("embedder", "high", "heads.auxiliary"),
        "training": ("embedder", "heads.native"),
    }.items():
        expected = {name for name, _ in task.named_parameters() if name.startswith(parts)}
        assert reached(task, step) == (expected, expected)


@pytest.mark.parametrize("step", ["super_resolution", "recognition"])
def test_processes_that_share_a_batch_get_the_loss_of_one(step):
    task, some = build().eval(), faces(8)
    task.begin(step)
    terms = task.losses({"auxiliary": some}, context(), "main")
    parts = []
    for process in range(4):
        part = Faces(some.images[2 * process :][:2], some.labels[2 * process :][:2])
        at = dataclasses.replace(context(), world_size=4, rank=process)
        parts.append(task.losses({"auxiliary": part}, at, "main"))
    for name, value in terms.items():
        assert sum(part[name].item() for part in parts) / 4 == pytest.approx(value.item(), rel=1e-4)


def test_validation_takes_the_mean_over_all_sides_and_draws_nothing():
    task, some = build().eval(), faces()
    views = [at_resolution(some.images, side, "bicubic", "bicubic") for side in SETTINGS.sides]
    made = [task.reconstruction["low"](task.low.forward_features(lr * 2 - 1)) for lr in views]
    logits = [task.embed(lr) @ task.heads["auxiliary"].weight.T for lr in views]
    task.begin("super_resolution")
    errors = [rpcn.robust_sr_loss(images, some.images, 0.1).item() for images in made]
    assert task.validation_losses(some)["super_resolution"].item() == pytest.approx(np.mean(errors), rel=1e-5)
    task.begin("recognition")
    entropies = [F.cross_entropy(each, some.labels).item() for each in logits]
    assert task.validation_losses(some)["classification"].item() == pytest.approx(np.mean(entropies), rel=1e-5)


@pytest.mark.parametrize(("wrong", "said"), [
    ({"coupled": [0.5, 0.5]}, "coupled"),
    ({"coupled": [0.5, 0.5, 1.0]}, "coupled"),
    ({"huber_threshold": 0}, "huber_threshold"),
    ({"sides": []}, "sides"),
    ({"recognition": {**TRAINING.model_dump(exclude_unset=True), "validation_sides": [8]}}, "sides"),
])  # fmt: skip
def test_a_wrong_setting_is_named(wrong, said):
    trainings = {step: TRAINING.model_dump(exclude_unset=True) for step in rpcn.STEPS}
    with pytest.raises(ParameterError, match=said):
        settings({**CHOSEN, **trainings, **wrong}, rpcn.Settings, "methods.rpcn")


def test_three_steps_make_a_model_that_embeds_faces(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_split()
    write_landmarks()
    write_model(paths.pretrained("main"), backbone(PRETRAINED, classes=6))
    trainings = {step: TRAINING.model_dump(exclude_unset=True) for step in rpcn.STEPS}
    write_params(threads=1, methods={"coupled": {"method": "rpcn", "backbone": "main", **CHOSEN, **trainings}})
    code.run()
    finetune.run("coupled")
    model = read_model(paths.model("coupled"))
    with torch.inference_mode():
        assert model.embedder(torch.rand(2, 3, 30, 24)).isfinite().all()
    # It has nothing of the backbone, and says so
    assert (model.facts.metric, model.facts.head, model.facts.provenance) == ("euclidean", None, None)
    assert [(step.step, list(step.faces)) for step in model.facts.trained] == [
        ("super_resolution", ["auxiliary"]), ("recognition", ["auxiliary"]), ("training", ["native"])
    ]  # fmt: skip
    with paths.training_curve("runs", "coupled").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [bool(row["super_resolution"]) for row in rows] == [True, False, False]
    assert [bool(row["hr_classification"]) for row in rows] == [False, True, False]
    assert not list(Path("checkpoints").rglob("*.pt"))
