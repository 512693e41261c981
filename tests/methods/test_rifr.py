import copy
import dataclasses

import numpy as np
import pytest
import torch

from lrfr.config import settings as checked
from lrfr.errors import ParameterError
from lrfr.methods import hr_lr, hr_only, kl_only, lr_only, rifr, shared_only
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.resolution import at_resolution
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Faces, StepContext

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=32, dropout=0.0)
TRAINING = Training(
    epochs=1, batch_size=4, learning_rate=0.1, momentum=0.9, weight_decay=1e-4, schedule="cosine", clip_norm=None,
    precision="fp32",
)  # fmt: skip
ARCFACE = {"name": "ArcFace", "scale": 16, "margin": 0.4}
VARIANTS = [hr_only, lr_only, hr_lr, kl_only, shared_only, rifr]
NAMES = [module.__name__.rpartition(".")[2] for module in VARIANTS]
ALL = pytest.mark.parametrize("module", VARIANTS, ids=NAMES)
TAUGHT = pytest.mark.parametrize("module", [kl_only, shared_only, rifr], ids=NAMES[3:])
NOW = StepContext(3, 10, np.random.default_rng(0))


def method(module=rifr, architecture=ARCHITECTURE, **changes):
    torch.manual_seed(0)
    chosen = {"head": ARCFACE, "student": "teacher", "training": TRAINING} | changes
    if module is not hr_only:
        chosen = {"widths": [20, 16]} | chosen
    pretrained = (Embedder(architecture).eval(), torch.randn(5, 16))
    return module.build(module.Settings(**chosen), pretrained, {"auxiliary": 5})


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


def expected_terms(module, task, faces):
    """Every variant's terms, recomputed from the paper's words."""
    hr, lr = [faces.images], [at_resolution(faces.images, width, "bicubic", up="bilinear") for width in (20, 16)]
    views = {hr_only: hr, lr_only: lr}.get(module, hr + lr)
    targets = torch.eye(5)[faces.labels]
    if module in (kl_only, rifr):
        targets = cosine_probabilities(task.teacher.embedder(faces.images), task.teacher.head.weight)
    p_t = cosine_probabilities(task.embedder(torch.cat(views)), task.head.weight)
    terms = {"student": naive_cross_entropy(targets.repeat(len(views), 1), p_t)}
    if module in (shared_only, rifr):
        p_pre = cosine_probabilities(task.teacher.embedder(faces.images), task.head.weight)
        terms["shared_teacher"] = naive_cross_entropy(targets, p_pre)
    return terms


@ALL
def test_a_variant_has_the_terms_that_the_paper_gives_it(module):
    task, faces = away_from_its_start(method(module).eval()), some_faces()
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    with torch.no_grad():
        expected = expected_terms(module, task, faces)
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(expected, rel=1e-4)


def test_the_two_terms_are_the_loss_of_every_version_with_its_hr_image():
    task, faces = away_from_its_start(method().eval()), some_faces()
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    versions = [faces.images] + [at_resolution(faces.images, width, "bicubic") for width in (20, 16)]
    taught, q = task.teacher(faces.images)
    student, shared = task.head.plain(task.embedder(torch.cat(versions))), task.head.plain(taught)
    whole = rifr.distillation_loss(student, shared.repeat(3, 1), q.repeat(3, 1))
    assert sum(terms.values()).item() == pytest.approx(whole.item(), rel=1e-5)


@ALL
def test_it_computes_no_more_than_it_needs(module):
    task, seen = method(module).train(), []
    task.embedder.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    task.losses({"auxiliary": some_faces()}, NOW, "main")
    assert seen == [4 * {hr_only: 1, lr_only: 2}.get(module, 3)]  # one forward, of all versions
    assert (task.teacher is not None) == (module in (kl_only, shared_only, rifr))


@TAUGHT
def test_the_teacher_never_changes(module):
    task = method(module).train()
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
def test_all_that_is_trained_has_a_gradient(module):
    task = method(module).train()
    sum(task.losses({"auxiliary": some_faces()}, NOW, "main").values()).backward()
    assert all(value.grad is not None for group in task.parameter_groups()["main"] for value in group["params"])


@ALL
def test_processes_that_share_a_batch_get_the_loss_of_one(module):
    task, faces = method(module).eval(), some_faces(8)
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    parts = [
        task.losses(
            {"auxiliary": Faces(faces.images[2 * process :][:2], faces.labels[2 * process :][:2])},
            dataclasses.replace(NOW, processes=4, process=process),
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
    task, faces = method().eval(), some_faces()
    task.widths = ()  # the HR images alone
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    _, q = task.teacher(faces.images)
    entropy = -(q * q.log()).sum(1).mean().item()
    assert [term.item() for term in terms.values()] == pytest.approx([entropy, entropy], rel=1e-4)


def test_a_plain_softmax_compares_raw_inner_products():
    task, faces = away_from_its_start(method(kl_only, head={"name": "Softmax"}).eval()), some_faces()
    for head in (task.head, task.teacher.head):
        head.weight.data *= 0.1  # so that no probability of the naive ones vanishes
    versions = [faces.images] + [at_resolution(faces.images, width, "bicubic") for width in (20, 16)]
    q = (task.teacher.embedder(faces.images) @ task.teacher.head.weight.T).softmax(1)
    p = (task.embedder(torch.cat(versions)) @ task.head.weight.T).softmax(1)
    terms = task.losses({"auxiliary": faces}, NOW, "main")
    assert terms["student"].item() == pytest.approx(naive_cross_entropy(q.repeat(3, 1), p), rel=1e-4)


def test_lr_versions_are_enlarged_as_the_deployed_model_enlarges():
    preprocessing = ARCHITECTURE.preprocessing.model_copy(update={"interpolation": "bicubic"})
    task = method(lr_only, ARCHITECTURE.model_copy(update={"preprocessing": preprocessing}), widths=[16]).eval()
    seen, faces = [], some_faces()
    task.embedder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    task.losses({"auxiliary": faces}, NOW, "main")
    assert torch.equal(seen[0], at_resolution(faces.images, 16, "bicubic", up="bicubic"))


@ALL
def test_it_is_validated_by_the_true_labels_without_a_margin(module):
    task, faces = away_from_its_start(method(module).eval()), some_faces()
    with torch.no_grad():
        p = cosine_probabilities(task.embedder(faces.images), task.head.weight)
    losses = {name: value.item() for name, value in task.validation_losses(faces).items()}
    assert losses == pytest.approx({"classification": naive_cross_entropy(torch.eye(5)[faces.labels], p)}, rel=1e-4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"head": ARCFACE | {"sample_rate": 0.1}}, "leave sample_rate out"),
        ({"widths": []}, "at least 1"),
        ({"student": "copy"}, "'teacher' or 'fresh'"),
    ],
)
def test_impossible_settings_are_refused(wrong, said):
    training = TRAINING.model_dump()
    values = {"head": ARCFACE, "student": "fresh", "widths": [20], "training": training} | wrong
    with pytest.raises(ParameterError, match=said):
        checked(values, rifr.Settings, "params.yaml: methods.rifr")
