import copy
import dataclasses

import numpy as np
import pytest
import torch

from lrfr.config import settings as checked
from lrfr.errors import ParameterError
from lrfr.methods import rifr
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.resolution import at_resolution
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Faces, StepContext
from tests.methods.backbones import ARCFACE, backbone, exchange

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=32, dropout=0.0)
TRAINING = Training(
    epochs=1, batch_size=4, learning_rate=0.1, momentum=0.9, weight_decay=1e-4, schedule="cosine", clip_norm=None,
    precision="fp32",
)  # fmt: skip
HEAD = ARCFACE | {"scale": 16.0}
VARIANTS = {  # by the rows of the paper's table: high_resolution, widths, targets, softmax
    "hr_only": (True, [], "labels", "own"),
    "lr_only": (False, [20, 16], "labels", "own"),
    "hr_lr": (True, [20, 16], "labels", "own"),
    "kl_only": (True, [20, 16], "teacher", "own"),
    "shared_only": (True, [20, 16], "labels", "shared"),
    "rifr": (True, [20, 16], "teacher", "shared"),
}
TAUGHT_ROWS = ["kl_only", "shared_only", "rifr"]
ALL = pytest.mark.parametrize("row", VARIANTS)
TAUGHT = pytest.mark.parametrize("row", TAUGHT_ROWS)
NOW = StepContext(3, 10, np.random.default_rng(0))


def values(row="rifr", **changes):
    chosen = dict(zip(("high_resolution", "widths", "targets", "softmax"), VARIANTS[row], strict=True))
    return chosen | {"student": "teacher", "training": TRAINING.model_dump()} | changes


def method(row="rifr", architecture=ARCHITECTURE, head=HEAD, **changes):
    torch.manual_seed(0)
    chosen = checked(values(row, **changes), rifr.Settings, "methods.rifr")
    return rifr.build(chosen, backbone(architecture, head=head), {"auxiliary": 5})


def some_faces(count=4):
    torch.manual_seed(1)
    return Faces(torch.rand(count, 3, 32, 32), torch.arange(count) % 5)


def away_from_its_start(task):
    """The task after its weights have moved, so that student and teacher differ."""
    torch.manual_seed(2)
    for parameter in [*task.embedder.parameters(), *task.head.parameters()]:
        parameter.data += 0.05 * torch.randn_like(parameter)
    return task


def cosine_probabilities(features, weight):
    unit = [value / value.square().sum(1, keepdim=True).sqrt() for value in (features, weight)]
    powers = (16 * unit[0] @ unit[1].T).exp()
    return powers / powers.sum(1, keepdim=True)


def naive_cross_entropy(targets, probabilities):
    """The sum over k, for each row; the mean over rows."""
    rows = range(len(targets))
    sums = [-sum(targets[row, k] * probabilities[row, k].log() for k in range(targets.shape[1])) for row in rows]
    return (sum(sums) / len(sums)).item()


def test_the_loss_is_equation_3():
    torch.manual_seed(0)
    student, shared = torch.randn(6, 5), torch.randn(6, 5)
    q = torch.randn(6, 5).softmax(1)
    expected = sum(
        naive_cross_entropy(q, logits.exp() / logits.exp().sum(1, keepdim=True)) for logits in (student, shared)
    )
    assert rifr.distillation_loss(student, shared, q).item() == pytest.approx(expected, rel=1e-5)


def test_its_gradients_are_equation_4():
    torch.manual_seed(0)
    student, shared, own = (torch.randn(6, 5, dtype=torch.float64, requires_grad=True) for _ in range(3))
    q = own.softmax(1)
    rifr.distillation_loss(student, shared, q).backward()
    torch.testing.assert_close(student.grad, (student.softmax(1) - q).detach() / 6)
    torch.testing.assert_close(shared.grad, (shared.softmax(1) - q).detach() / 6)
    assert own.grad is None


def test_the_loss_is_smallest_where_all_probabilities_are_the_teachers():
    own = torch.randn(6, 5, dtype=torch.float64)
    student, shared = (own.clone().requires_grad_() for _ in range(2))
    rifr.distillation_loss(student, shared, own.softmax(1)).backward()
    assert student.grad.abs().max() < 1e-12 and shared.grad.abs().max() < 1e-12


def expected_terms(row, task, faces):
    """Every variant's terms, recomputed from the paper's words; the loss is their sum."""
    hr, lr = [faces.images], [at_resolution(faces.images, width, "bicubic", up="bilinear") for width in (20, 16)]
    views = {"hr_only": hr, "lr_only": lr}.get(row, hr + lr)
    targets = torch.eye(5)[faces.labels]
    if row in ("kl_only", "rifr"):
        targets = cosine_probabilities(task.teacher.embedder(faces.images), task.teacher.head.weight)
    p_t = cosine_probabilities(task.embedder(torch.cat(views)), task.head.weight)
    terms = {"student": naive_cross_entropy(targets.repeat(len(views), 1), p_t)}
    if row in ("shared_only", "rifr"):
        p_pre = cosine_probabilities(task.teacher.embedder(faces.images), task.head.weight)
        terms["shared_teacher"] = naive_cross_entropy(targets, p_pre)
    return terms


@ALL
def test_a_variant_has_the_terms_that_the_paper_gives_it(row):
    task, faces = away_from_its_start(method(row).eval()), some_faces()
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    with torch.no_grad():
        expected = sum(expected_terms(row, task, faces).values())
    name = "distillation" if row in TAUGHT_ROWS else "classification"
    assert {name: value.item() for name, value in terms.items()} == pytest.approx({name: expected}, rel=1e-4)


def test_the_loss_is_that_of_every_version_with_its_hr_image():
    task, faces = away_from_its_start(method().eval()), some_faces()
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    versions = [faces.images] + [at_resolution(faces.images, width, "bicubic") for width in (20, 16)]
    taught, q = task.teacher(faces.images)
    student, shared = task.head.plain(task.embedder(torch.cat(versions))), task.head.plain(taught)
    whole = rifr.distillation_loss(student, shared.repeat(3, 1), q.repeat(3, 1))
    assert sum(terms.values()).item() == pytest.approx(whole.item(), rel=1e-5)


@ALL
def test_it_computes_no_more_than_it_needs(row):
    task, seen = method(row).train(), []
    task.embedder.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    task.losses({"auxiliary": some_faces()}, NOW, "main")
    assert seen == [4 * {"hr_only": 1, "lr_only": 2}.get(row, 3)]  # one forward, of all versions
    assert (task.teacher is not None) == (row in TAUGHT_ROWS)


@TAUGHT
def test_the_teacher_never_changes(row):
    task = method(row).train()
    before = copy.deepcopy(task.teacher.state_dict())
    parameters = [parameter for group in task.parameter_groups()["main"] for parameter in group["params"]]
    students = [*Embedder(ARCHITECTURE).parameters(), task.head.weight]
    assert len(parameters) == sum(parameter.requires_grad for parameter in students)
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    for _ in range(2):
        sum(task.losses({"auxiliary": some_faces()}, NOW, "main").values()).backward()
        optimizer.step()
    assert not task.teacher.training and not any(part.training for part in task.teacher.modules())
    assert all(torch.equal(value, before[name]) for name, value in task.teacher.state_dict().items())
    assert all(parameter.grad is None for parameter in task.teacher.parameters())
    assert not torch.equal(task.head.weight, task.teacher.head.weight)


@ALL
def test_all_that_is_trained_has_a_gradient(row):
    task = method(row).train()
    sum(task.losses({"auxiliary": some_faces()}, NOW, "main").values()).backward()
    assert all(value.grad is not None for group in task.parameter_groups()["main"] for value in group["params"])


@ALL
def test_processes_that_share_a_batch_get_the_loss_of_one(row):
    task, faces = method(row).eval(), some_faces(8)
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    parts = [
        task.losses(
            {"auxiliary": Faces(faces.images[2 * process :][:2], faces.labels[2 * process :][:2])},
            dataclasses.replace(NOW, world_size=4, rank=process),
            "main",
        )
        for process in range(4)
    ]
    for name, value in terms.items():
        assert sum(part[name].item() for part in parts) / 4 == pytest.approx(value.item(), rel=1e-4)


@pytest.mark.parametrize("student", ["teacher", "fresh"])
def test_the_student_starts_where_it_is_told(student):
    task = method(student=student).eval()
    images = some_faces().images
    same = torch.equal(task.embedder(images), task.teacher(images)[0])
    assert same == torch.equal(task.head.weight, task.teacher.head.weight) == (student == "teacher")


def test_a_students_copy_of_the_teacher_has_its_probabilities_so_that_only_the_entropy_is_left():
    task, faces = method(widths=[]).eval(), some_faces()  # the HR images alone
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    _, q = task.teacher(faces.images)
    entropy = -(q * q.log()).sum(1).mean().item()
    assert terms["distillation"].item() == pytest.approx(2 * entropy, rel=1e-4)


def test_a_plain_softmax_compares_raw_inner_products():
    task, faces = away_from_its_start(method("kl_only", head={"name": "Softmax"}).eval()), some_faces()
    for head in (task.head, task.teacher.head):
        head.weight.data *= 0.1  # so that no probability of the naive ones vanishes
    versions = [faces.images] + [at_resolution(faces.images, width, "bicubic") for width in (20, 16)]
    q = (task.teacher.embedder(faces.images) @ task.teacher.head.weight.T).softmax(1)
    p = (task.embedder(torch.cat(versions)) @ task.head.weight.T).softmax(1)
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    assert terms["distillation"].item() == pytest.approx(naive_cross_entropy(q.repeat(3, 1), p), rel=1e-4)


def test_lr_versions_are_enlarged_as_the_deployed_model_enlarges():
    preprocessing = ARCHITECTURE.preprocessing.model_copy(update={"interpolation": "bicubic"})
    task = method("lr_only", ARCHITECTURE.model_copy(update={"preprocessing": preprocessing}), widths=[16]).eval()
    seen, faces = [], some_faces()
    task.embedder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    task.losses({"auxiliary": faces}, NOW, "main")
    assert torch.equal(seen[0], at_resolution(faces.images, 16, "bicubic", up="bicubic"))


@ALL
def test_it_is_validated_by_the_true_labels_without_a_margin(row):
    task, faces = away_from_its_start(method(row).eval()), some_faces()
    with torch.no_grad():
        p = cosine_probabilities(task.embedder(faces.images), task.head.weight)
    losses = {name: value.item() for name, value in task.validation_losses(faces).items()}
    assert losses == pytest.approx({"classification": naive_cross_entropy(torch.eye(5)[faces.labels], p)}, rel=1e-4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"high_resolution": False, "widths": []}, "the student sees no image: give widths, or high_resolution: true"),
        ({"widths": [0]}, "greater than 0"),
        ({"student": "copy"}, "'teacher' or 'fresh'"),
        ({"targets": "soft"}, "'teacher' or 'labels'"),
        ({"softmax": "none"}, "'shared' or 'own'"),
        ({"head": {"name": "Softmax"}}, "unknown parameter 'head'"),
    ],
)
def test_impossible_settings_are_refused(wrong, said):
    with pytest.raises(ParameterError, match=said):
        checked(values(**wrong), rifr.Settings, "params.yaml: methods.rifr")


def test_a_width_that_makes_no_image_smaller_is_refused():
    with pytest.raises(ParameterError, match="'widths' has 32 px"):
        method(widths=[32])


@ALL
def test_without_a_classifier_there_is_neither_teacher_nor_softmax(row):
    with pytest.raises(ParameterError, match="the backbone has no classifier"):
        method(row, head=None)


def test_a_backbone_that_drew_identities_in_training_has_a_whole_softmax():
    task = method(head=HEAD | {"sample_rate": 0.4}).eval()
    faces = some_faces()
    whole = method().eval()
    losses = [each.losses({"auxiliary": faces}, NOW, "main")["distillation"].item() for each in (task, whole)]
    assert losses[0] == losses[1]


@ALL
def test_training_calls_the_published_loss_itself(monkeypatch, row):
    """Equation 3 where there is a shared softmax; one of its terms, or equation 1, where there is not."""
    task, faces = method(row), some_faces()
    exchange(monkeypatch, rifr.distillation_loss, lambda student, shared, q: 0 * student.sum() + 42)
    exchange(monkeypatch, rifr.target_cross_entropy, lambda logits, targets: 0 * logits.sum() + 17)
    (value,) = task.losses({"auxiliary": faces}, NOW, "main").values()
    assert value.item() == (42 if row in ("shared_only", "rifr") else 17)
    assert task.eval().validation_losses(faces)["classification"].item() == 17
