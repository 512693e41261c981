"""CSRI and what its paper compares it with: ``learning`` is csri, joint or independent."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.methods import csri
from lrfr.methods.csri import fr_loss, sr_loss
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.super_resolution.pairs import low_resolution_pairs
from lrfr.nn.training.task import Faces, StepContext
from tests.methods.backbones import backbone, exchange

# 8 channels at least: with 4, torch 2.15 writes beyond its memory in the backward pass on some processors
ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
TRAINING = {
    "epochs": 1, "batch_size": 4, "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0, "schedule": "cosine",
    "clip_norm": None, "precision": "fp32",
}  # fmt: skip
CLASSES = {"auxiliary": 5, "native": 3}
STEPS = [(learning, step) for learning, steps in csri.STEPS.items() for step in steps]


def values(learning, /, **changes):
    own = {} if learning == "independent" else {"sr_weight": 0.003}
    common = {"super_resolution": {"network": "vdsr", "width": 0.1}, "head": {"name": "Softmax"}, "sides": [6, 9]}
    return {"learning": learning} | common | own | dict.fromkeys(csri.STEPS[learning], TRAINING) | changes


def fresh(learning, **changes):
    """The task as it is built."""
    torch.manual_seed(0)
    chosen = settings(values(learning, **changes), csri.Settings, "methods.csri")
    collections = {key for step in csri.steps(chosen).values() for key in step}
    return csri.build(chosen, backbone(ARCHITECTURE), {key: CLASSES[key] for key in sorted(collections)})


def build(learning, **changes):
    """The task; its SR network is no longer the identity that it is born as."""
    task = fresh(learning, **changes)
    with torch.no_grad():
        task.embedder.super_resolution.residual[-1].weight.normal_(std=0.05)
    return task


def batch(*collections):
    rng = torch.Generator().manual_seed(1)
    return {
        name: Faces(torch.rand(6, 3, 16, 16, generator=rng), torch.arange(6) % CLASSES[name]) for name in collections
    }


def context():
    return StepContext(5, 10, np.random.default_rng(0))


def begun(learning, step, **changes):
    """The task at a step, and a batch of the step's collections."""
    task = build(learning, **changes)
    task.begin(step)
    return task.train(), batch(*csri.STEPS[learning][step])


@given(st.integers(1, 4), st.integers(2, 6))
def test_eq_1_is_the_sum_over_pixels_and_the_mean_over_faces(faces, side):
    rng = np.random.default_rng(faces * 10 + side)
    one, other = rng.random((2, faces, 3, side, side))
    expected = sum((a - b) ** 2 for a, b in zip(one.ravel(), other.ravel(), strict=True)) / faces
    assert sr_loss(torch.from_numpy(one), torch.from_numpy(other)).item() == pytest.approx(expected, rel=1e-5)


@given(st.integers(1, 5), st.integers(2, 6))
def test_eq_2_is_the_negative_logarithm_of_the_identitys_probability(faces, people):
    rng = np.random.default_rng(faces * 10 + people)
    logits, labels = rng.normal(size=(faces, people)), rng.integers(people, size=faces)
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = -np.log(probability[range(faces), labels]).mean()
    assert fr_loss(torch.from_numpy(logits), torch.from_numpy(labels)).item() == pytest.approx(expected)


@pytest.mark.parametrize(("learning", "step"), STEPS)
def test_a_steps_terms_are_those_of_its_equation(learning, step):
    """Eq 1, 3 and 4, recomputed through the embedder's public methods; in one batch, as the networks see it."""
    task, faces = begun(learning, step)
    again = copy.deepcopy(task)
    terms = task.losses(faces, context(), "main")
    lr = {key: value.images for key, value in faces.items()}
    if "auxiliary" in lr:
        lr["auxiliary"] = low_resolution_pairs(lr["auxiliary"], [6, 9], "bicubic", context())
    super_resolved = again.embedder.super_resolution(torch.cat([*lr.values()]))
    logits = again.embedder.recognise(super_resolved)
    expected = {}
    if (learning, step) in {("independent", "super_resolution_training"), ("joint", "synthetic")} or learning == "csri":
        weight = 1 if learning == "independent" else 0.003
        distance = (super_resolved[:6] - faces["auxiliary"].images).square().sum() / 6
        expected["super_resolution"] = weight * distance
    if step != "super_resolution_training":
        for place, (key, branch) in enumerate((key, "synthetic" if key == "auxiliary" else "native") for key in lr):
            mine = F.linear(logits[6 * place :][:6], again.heads[key].weight)
            expected[f"{branch}_classification"] = F.cross_entropy(mine, faces[key].labels)
    assert terms.keys() == expected.keys()
    for term, value in expected.items():
        assert terms[term].item() == pytest.approx(value.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("learning", "step", "trained"),
    [
        ("independent", "super_resolution_training", {"embedder.super_resolution"}),
        ("independent", "synthetic", {"embedder.backbone", "heads.auxiliary"}),
        ("independent", "training", {"embedder.backbone", "heads.native"}),
        ("joint", "synthetic", {"embedder.super_resolution", "embedder.backbone", "heads.auxiliary"}),
        ("joint", "training", {"embedder.backbone", "heads.native"}),
        ("csri", "synthetic", {"embedder.super_resolution", "embedder.backbone", "heads.auxiliary"}),
        (
            "csri",
            "training",
            {"embedder.super_resolution", "embedder.backbone", "heads.auxiliary", "heads.native"},
        ),
    ],
)
@pytest.mark.parametrize("network", ["vdsr", "drrn"])
def test_a_step_changes_what_it_trains_and_nothing_else(monkeypatch, learning, step, trained, network):
    """DRRN has statistics of its own, which must not move while it is frozen."""
    monkeypatch.setattr("lrfr.nn.super_resolution.drrn.UNITS", 1)
    task = fresh(learning, super_resolution={"network": network, "width": 0.1}, head={"name": "CenterLoss"})
    for part in csri.STEPS[learning]:
        task.begin(part)  # what an earlier step froze thaws
        if part == step:
            break
    task.train()
    before = {key: value.clone() for key, value in task.state_dict().items()}
    optimizer = torch.optim.SGD(task.parameter_groups()["main"][0]["params"], lr=0.1)
    for _ in range(2):  # the last layer of an SR network is born as 0: the others learn nothing from the first update
        optimizer.zero_grad()
        sum(task.losses(batch(*csri.STEPS[learning][step]), context(), "main").values()).backward()
        optimizer.step()
    changed = {".".join(key.split(".")[:2]) for key, value in task.state_dict().items() if not value.equal(before[key])}
    assert changed == trained


def test_both_branches_go_through_the_same_networks():
    """The gradient of eq 4 is the sum of its terms' gradients, on one set of parameters."""
    task, faces = begun("csri", "training")
    task.eval()  # statistics of one branch's batch would be others
    parameters = [*task.embedder.parameters()]
    assert len({value.data_ptr() for value in parameters}) == len(parameters)

    def gradient(terms):
        return torch.cat([g.flatten() for g in torch.autograd.grad(sum(terms), parameters)])

    terms = task.losses(faces, context(), "main")
    native = F.cross_entropy(task.heads["native"].plain(task.embed(faces["native"].images)), faces["native"].labels)
    synthetic = task.losses({"auxiliary": faces["auxiliary"]}, context(), "main")
    together, apart = gradient(terms.values()), gradient([native, *synthetic.values()])
    assert torch.allclose(together, apart, rtol=1e-3, atol=1e-4 * together.abs().max().item())


def test_deepid2_s_verification_goes_with_either_branch():
    task, faces = begun("csri", "training", head={"name": "DeepID2", "verification_weight": 0.1})
    terms = task.losses(faces, context(), "main")
    assert {"synthetic_verification", "native_verification"} < set(terms)
    assert all(terms[f"{branch}_verification"] > 0 for branch in ("synthetic", "native"))
    sum(terms.values()).backward()
    assert all(head.margin > 0 for head in task.heads.values())


def test_the_centre_loss_of_centreface_goes_with_either_branch():
    task, faces = begun("csri", "training", head={"name": "CenterLoss"})
    names = {f"{branch}_{term}" for branch in ("synthetic", "native") for term in ("classification", "center")}
    assert set(task.losses(faces, context(), "main")) == {"super_resolution"} | names


@pytest.mark.parametrize(("learning", "step"), STEPS)
def test_validation_gives_the_steps_own_terms_and_always_the_same(learning, step):
    task, faces = begun(learning, step)
    task.eval()
    (first, *_) = faces.values()
    once, again = (task.validation_losses(first) for _ in range(2))
    assert once == again
    terms = [term for term in task.losses(faces, context(), "main") if "native" not in term or len(faces) == 1]
    assert list(once) == terms


def test_validation_is_the_mean_over_the_sides():
    (faces,) = batch("auxiliary").values()
    both = build("joint").eval().validation_losses(faces)
    apart = [build("joint", sides=[side]).eval().validation_losses(faces) for side in (6, 9)]
    for name, value in both.items():
        assert value.item() == pytest.approx((apart[0][name] + apart[1][name]).item() / 2, rel=1e-5)


def test_the_deployed_embedder_is_the_pretrained_backbone_behind_super_resolution():
    task = build("csri").eval()
    assert task.embedder.architecture.super_resolution.network == "vdsr"
    assert task.embedder.architecture.preprocessing.interpolation == "bicubic"
    torch.manual_seed(0)
    pretrained = Embedder(ARCHITECTURE).eval()
    images = torch.rand(2, 3, 16, 16)
    seen = task.embedder.super_resolve(images)
    assert not torch.allclose(seen, images, atol=1e-3)
    assert torch.allclose(task.embed(images), pretrained.recognise(seen), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"sides": []}, "at least 1 item"),
        ({"super_resolution": {"network": "vdsrr"}}, "vdsr"),
        ({"head": {"name": "Softmax", "sample_rate": 0.5}}, "leave sample_rate out"),
        ({"synthetic": TRAINING | {"validation_sides": [8]}}, "leave validation_sides out"),
        ({"sr_weight": -1.0}, "greater than or equal to 0"),
        ({"sr_weight": None}, "sr_weight goes with learning: csri and joint, and only with them"),
        ({"super_resolution_training": TRAINING}, "super_resolution_training goes with learning: independent"),
        ({"training": TRAINING | {"validation_sides": [8]}}, "leave validation_sides out"),
        ({"learning": "together"}, "'csri', 'joint' or 'independent'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, complaint):
    with pytest.raises(ParameterError, match=complaint):
        settings(values("csri", **changes), csri.Settings, "methods.csri")


@pytest.mark.parametrize(
    ("learning", "changes", "complaint"),
    [
        ("joint", {"sr_weight": None}, "sr_weight goes with learning: csri and joint"),
        ("joint", {"super_resolution_training": TRAINING}, "super_resolution_training goes with learning: independent"),
        ("independent", {"sr_weight": 0.003}, "sr_weight goes with learning: csri and joint, and only with them"),
        ("independent", {"super_resolution_training": None}, "goes with learning: independent, and only with it"),
        (
            "independent",
            {"super_resolution_training": TRAINING | {"validation_sides": [8]}},
            "leave validation_sides out",
        ),
    ],
)
def test_settings_of_another_variant_are_refused(learning, changes, complaint):
    with pytest.raises(ParameterError, match=complaint):
        settings(values(learning, **changes), csri.Settings, "methods.csri")


@pytest.mark.parametrize("learning", ["joint", "independent"])
def test_native_faces_alone_may_be_validated_at_other_sides(learning):
    chosen = settings(values(learning, training=TRAINING | {"validation_sides": [8]}), csri.Settings, "methods.csri")
    assert chosen.training.validation_sides == [8]


def test_the_steps_are_those_that_the_paper_gives_each_variant():
    steps = {learning: csri.steps(settings(values(learning), csri.Settings, learning)) for learning in csri.STEPS}
    assert {learning: list(of.items()) for learning, of in steps.items()} == {
        "csri": [("synthetic", ("auxiliary",)), ("training", ("auxiliary", "native"))],
        "joint": [("synthetic", ("auxiliary",)), ("training", ("native",))],
        "independent": [
            ("super_resolution_training", ("auxiliary",)),
            ("synthetic", ("auxiliary",)),
            ("training", ("native",)),
        ],
    }


@pytest.mark.parametrize("learning", csri.STEPS)
def test_a_new_task_is_at_its_first_step(learning):
    first = next(iter(csri.STEPS[learning]))
    begun_anew = build(learning)
    begun_anew.begin(first)
    trained = [
        {name for name, value in task.named_parameters() if value.requires_grad}
        for task in (fresh(learning), begun_anew)
    ]
    assert trained[0] == trained[1]


@pytest.mark.parametrize(("learning", "step"), STEPS)
def test_training_and_validation_call_the_published_losses_themselves(monkeypatch, learning, step):
    task, faces = begun(learning, step)
    exchange(monkeypatch, fr_loss, lambda logits, labels: 0 * logits.sum() + 2 * len(labels))
    exchange(monkeypatch, sr_loss, lambda super_resolved, hr: 0 * super_resolved.sum() + 10 * len(hr))
    weight = 1 if learning == "independent" else 0.003
    for terms in (task.losses(faces, context(), "main"), task.eval().validation_losses(next(iter(faces.values())))):
        assert terms
        for name, value in terms.items():
            expected = weight * 60 if name == "super_resolution" else 12
            assert value.item() == pytest.approx(expected), name
