import dataclasses

import numpy as np
import pytest
import torch

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.methods import tc
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.resolution import at_resolution
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Faces, StepContext
from tests.methods.backbones import ARCFACE, backbone, exchange

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=48, dropout=0.0)
TRAINING = Training(
    epochs=1,
    batch_size=4,
    learning_rate=1e-3,
    momentum=0.9,
    weight_decay=1e-5,
    schedule="plateau",
    clip_norm=5,
    precision="fp32",
)
STUDENT = {"smallest_exponent": 3, "largest_exponent": 8, "full_size_share": 0, "training": TRAINING.model_dump()}
VARIANTS = {
    "tc": {"teacher": True, "distillation_weight": 0.1, "curriculum": True},
    "teacher_only": {"teacher": True, "distillation_weight": 0.1, "curriculum": False, "frequency": 0.5},
    "curriculum_only": {"teacher": False, "curriculum": True},
    "ntnc": {"teacher": False, "curriculum": False, "frequency": 0.5},
}


REDUCTIONS = ["mean", "batch_mean", "sum"]


def context(step, total=100):
    return StepContext(step, total, np.random.default_rng(step))


def method(variant="tc", architecture=ARCHITECTURE, head=ARCFACE, **changes):
    torch.manual_seed(0)
    chosen = settings(STUDENT | VARIANTS[variant] | changes, tc.Settings, "methods.tc")
    return tc.build(chosen, backbone(architecture, head=head), {"auxiliary": 5})


def some_faces(count=8):
    return Faces(torch.rand(count, 3, 48, 48), torch.arange(count) % 5)


def shrunk(task, faces, at):
    """Which of the faces the student sees down-sampled at a context."""
    seen = []
    watch = task.embedder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    task.losses({"auxiliary": faces}, at, "main")
    watch.remove()
    return (seen[0] != faces.images).flatten(1).any(1)


@pytest.mark.parametrize(("reduction", "parts"), [("sum", 1), ("batch_mean", 3), ("mean", 12)])
def test_feature_distillation_is_the_sum_of_squared_distances_or_a_mean(reduction, parts):
    teacher, student = torch.randn(3, 4), torch.randn(3, 4)
    expected = sum(
        (teacher[row, column].item() - student[row, column].item()) ** 2 for row in range(3) for column in range(4)
    )
    found = tc.feature_distillation(teacher, student, reduction).item()
    assert found == pytest.approx(expected / parts, rel=1e-5)
    assert tc.feature_distillation(teacher, student).item() == pytest.approx(expected, rel=1e-5)  # eq 1 as printed


def test_the_curriculum_rises_linearly_from_never_to_always():
    chances = [tc.curriculum_probability(step, 11) for step in range(11)]
    assert chances == pytest.approx(np.linspace(0, 1, 11).tolist())
    assert tc.curriculum_probability(0, 1) == 0


def test_resolutions_are_powers_of_two_drawn_evenly():
    rng = np.random.default_rng(0)
    drawn, counts = np.unique([tc.draw_resolution(rng) for _ in range(6000)], return_counts=True)
    assert drawn.tolist() == [8, 16, 32, 64, 128, 256]
    assert (abs(counts - 1000) < 150).all()


def test_the_shortest_side_is_reduced_and_the_aspect_kept():
    images = torch.rand(2, 3, 60, 40)
    reduced = at_resolution(images, 8)
    assert reduced.shape == images.shape
    assert torch.equal(at_resolution(images, 40), images)
    fine = torch.zeros(1, 3, 40, 40)
    fine[..., ::2] = 1  # stripes that 8 px cannot hold
    assert at_resolution(fine, 8).std() < 0.1 < fine.std()


def test_the_student_starts_as_a_copy_and_the_teacher_never_changes():
    task = method()
    batch = {"auxiliary": Faces(torch.rand(4, 3, 48, 48), torch.arange(4))}
    task.eval()
    terms = task.losses(batch, context(0), "main")
    assert terms["distillation"].item() == 0
    task.train()
    assert not task.teacher.training
    sum(task.losses(batch, context(50), "main").values()).backward()
    assert all(parameter.grad is None for parameter in task.teacher.parameters())
    trained = {id(parameter) for group in task.parameter_groups()["main"] for parameter in group["params"]}
    assert not trained & {id(parameter) for parameter in task.teacher.parameters()}


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_processes_that_share_a_batch_get_the_loss_of_one(reduction):
    task, step = method(reduction=reduction).eval(), 60  # where some of the faces are shrunk
    images, labels = torch.rand(8, 3, 48, 48), torch.zeros(8, dtype=torch.long)
    terms = task.losses({"auxiliary": Faces(images, labels)}, context(step), "main")
    parts = [
        task.losses(
            {"auxiliary": Faces(images[2 * process :][:2], labels[:2])},
            dataclasses.replace(context(step), world_size=4, rank=process),
            "main",
        )
        for process in range(4)
    ]
    for name, value in terms.items():
        assert sum(part[name].item() for part in parts) / 4 == pytest.approx(value.item(), rel=1e-4)


def test_distillation_is_weighted_by_lambda_and_grows_with_the_curriculum():
    batch = {"auxiliary": some_faces()}
    assert method().eval().losses(batch, context(0), "main")["distillation"] == 0
    once, twice = (
        method(distillation_weight=value).eval().losses(batch, context(99), "main")["distillation"].item()
        for value in (0.1, 0.2)
    )
    assert twice == pytest.approx(2 * once) and once > 0


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_loss_is_that_of_equation_1(reduction):
    """Both terms are reduced alike: their ratio does not depend on the batch, nor, but for the mean, on D."""
    task, faces = method(reduction=reduction).eval(), some_faces()
    terms = task.losses({"auxiliary": faces}, context(60), "main")
    rng, view = np.random.default_rng(60), faces.images.clone()
    for row in range(len(view)):
        if rng.random() < 60 / 99 and rng.random() >= 0:
            view[row : row + 1] = at_resolution(view[row : row + 1], tc.draw_resolution(rng, 3, 5))
    student, teacher = task.embedder(view), task.teacher(faces.images)
    cosines = torch.nn.functional.normalize(student) @ torch.nn.functional.normalize(task.head.weight).T
    log_p = torch.log_softmax(32 * cosines, 1)
    expected = -sum(log_p[row, label] for row, label in enumerate(faces.labels)) / (1 if reduction == "sum" else 8)
    assert terms["classification"].item() == pytest.approx(expected.item(), rel=1e-4)
    parts = {"sum": 1, "batch_mean": 8, "mean": 8 * 16}[reduction]
    expected = 0.1 * sum((teacher[row] - student[row]).square().sum() for row in range(len(view))) / parts
    assert terms["distillation"].item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_teacher_is_there_where_the_name_says_so(variant):
    task = method(variant).eval()
    taught = variant in ("tc", "teacher_only")
    terms = task.losses({"auxiliary": some_faces()}, context(50), "main")
    assert set(terms) == ({"classification", "distillation"} if taught else {"classification"})
    assert (task.teacher is not None) == taught
    sum(terms.values()).backward()
    trained = [parameter for group in task.parameter_groups()["main"] for parameter in group["params"]]
    assert all(parameter.grad is not None for parameter in trained)
    students = [*Embedder(ARCHITECTURE).parameters(), task.head.weight]  # all parameters are free
    assert len(trained) == sum(parameter.requires_grad for parameter in students)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_curriculum_begins_with_full_resolution_and_ends_with_none_and_a_frequency_stays(variant):
    task, faces = method(variant).eval(), some_faces(200)
    shares = [shrunk(task, faces, context(step)).float().mean().item() for step in (0, 50, 99)]
    expected = [0, 50 / 99, 1] if variant in ("tc", "curriculum_only") else [0.5, 0.5, 0.5]
    assert shares == pytest.approx(expected, abs=0.12)


@pytest.mark.parametrize("side", [16, 48, 112])
@pytest.mark.parametrize("share", [0, 1 / 6])
def test_of_the_drawn_images_one_in_six_stays_as_it_is_at_any_size(side, share):
    """As published, where 2^8 = 256 px is the only one of six powers of two that does not make 224 px smaller."""
    task = method("ntnc", ARCHITECTURE.model_copy(update={"input_size": side}), frequency=1.0, full_size_share=share)
    rng = StepContext(0, 1, np.random.default_rng(0))
    drawn = [task._resolution(rng) for _ in range(6000)]
    smaller = [value for value in (8, 16, 32, 64) if value < side]
    assert drawn.count(None) / 6000 == pytest.approx(share, abs=0.02)
    assert {value for value in drawn if value} == set(smaller)
    counts = [drawn.count(value) for value in smaller]
    assert counts == pytest.approx([6000 * (1 - share) / len(smaller)] * len(smaller), rel=0.1)


def test_resolutions_that_make_nothing_smaller_are_refused():
    with pytest.raises(ParameterError, match="'smallest_exponent' has 64 px, which makes no image of 48 x 48 px"):
        method(smallest_exponent=6)


@pytest.mark.parametrize("frozen", [True, False])
def test_the_running_statistics_follow_the_student_s_images_or_stay_its_teacher_s(frozen):
    task, faces = method(frozen_statistics=frozen).train(), some_faces()
    before = {name: value.clone() for name, value in task.embedder.named_buffers() if "running" in name}
    normalised = task.embedder(faces.images)
    task.losses({"auxiliary": faces}, context(99), "main")
    after = dict(task.embedder.named_buffers())
    assert all(torch.equal(after[name], value) for name, value in before.items()) == frozen
    assert not torch.allclose(normalised, task.eval().embedder(faces.images))  # in training: those of the batch


def test_a_teacher_s_own_softmax_is_the_student_s_start_its_bias_included():
    torch.manual_seed(0)
    teacher = dataclasses.replace(backbone(ARCHITECTURE, head={"name": "Softmax"}), bias=torch.randn(5))
    chosen = settings(STUDENT | VARIANTS["tc"], tc.Settings, "methods.tc")
    task, faces = tc.build(chosen, teacher, {"auxiliary": 5}).eval(), some_faces(4)
    logits = teacher.embedder(faces.images) @ teacher.prototypes.T + teacher.bias
    expected = torch.nn.functional.cross_entropy(logits, faces.labels).item()
    terms = task.losses({"auxiliary": faces}, context(0), "main")
    assert terms["classification"].item() == pytest.approx(expected, rel=1e-5)
    sum(terms.values()).backward()
    assert task.head.bias.grad is not None  # and it is trained


@pytest.mark.parametrize(("frequency", "share"), [(0, 0), (1, 1)])
def test_the_frequency_is_the_chance_of_down_sampling(frequency, share):
    for variant in ("ntnc", "teacher_only"):
        task = method(variant, frequency=frequency).eval()
        assert shrunk(task, some_faces(20), context(7)).float().mean() == share


def test_all_variants_draw_the_same_resolutions_and_start_from_the_same_student():
    faces = some_faces()
    terms = [
        method(variant).eval().losses({"auxiliary": faces}, context(99), "main")
        for variant in ("tc", "curriculum_only")
    ]
    assert terms[0]["classification"].item() == terms[1]["classification"].item()


@pytest.mark.parametrize(
    ("variant", "wrong", "said"),
    [
        ("tc", {"reduction": "max"}, "'mean', 'batch_mean' or 'sum'"),
        ("tc", {"full_size_share": 1.0}, "less than 1"),
        ("ntnc", {"smallest_exponent": 6, "largest_exponent": 5}, "smallest_exponent is above largest_exponent"),
        ("ntnc", {"frequency": 1.5}, "less than or equal to 1"),
        ("ntnc", {"frequency": None}, "frequency goes with curriculum: false, and with nothing else"),
        ("ntnc", {"distillation_weight": 0.1}, "distillation_weight goes with teacher: true, and with nothing else"),
        ("tc", {"frequency": 0.5}, "frequency goes with curriculum: false"),
        ("tc", {"distillation_weight": None}, "distillation_weight goes with teacher: true"),
        ("tc", {"distillation_weight": -0.1}, "greater than or equal to 0"),
        ("tc", {"teacher": False}, "distillation_weight goes with teacher: true"),
        ("tc", {"curriculum": False}, "frequency goes with curriculum: false"),
        ("tc", {"scale": 32}, "unknown parameter 'scale'"),
    ],
)
def test_impossible_settings_are_refused(variant, wrong, said):
    with pytest.raises(ParameterError, match=said):
        method(variant, **wrong)


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_a_classifier_there_is_nothing_to_start_from(variant):
    with pytest.raises(ParameterError, match=r"with its teacher's classifier(.|\n)*`epochs: 0` gives one a head"):
        method(variant, head=None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_student_is_classified_by_its_teachers_kind_of_softmax_without_a_margin(variant):
    task, faces = method(variant, head={"name": "Softmax"}).eval(), some_faces(4)
    terms = task.losses({"auxiliary": faces}, context(0), "main") if variant == "curriculum_only" else None
    logits = task.embedder(faces.images) @ task.head.weight.T
    expected = torch.nn.functional.cross_entropy(logits, faces.labels).item()
    assert task.validation_losses(faces)["classification"].item() == pytest.approx(expected, rel=1e-5)
    if terms:  # at the first update of a curriculum nothing is shrunk
        assert terms["classification"].item() == pytest.approx(expected, rel=1e-5)


def test_the_lambda_of_equation_1_may_be_0():
    faces = some_faces()
    terms = method(distillation_weight=0.0).eval().losses({"auxiliary": faces}, context(99), "main")
    assert terms["distillation"].item() == 0


@pytest.mark.parametrize("variant", ["tc", "teacher_only"])
def test_training_calls_the_published_distillation_itself(monkeypatch, variant):
    task = method(variant)
    exchange(monkeypatch, tc.feature_distillation, lambda teacher, student, reduction: 0 * student.sum() + 42)
    terms = task.losses({"auxiliary": some_faces()}, context(50), "main")
    assert terms["distillation"].item() == pytest.approx(0.1 * 42)


def test_the_curriculum_of_training_is_the_published_one(monkeypatch):
    task, faces = method(), some_faces(20)
    exchange(monkeypatch, tc.curriculum_probability, lambda step, total: 1.0)
    assert shrunk(task, faces, context(0)).all()
    exchange(monkeypatch, tc.curriculum_probability, lambda step, total: 0.0)
    assert not shrunk(task, faces, context(99)).any()
