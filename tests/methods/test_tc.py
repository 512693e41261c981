import dataclasses

import numpy as np
import pytest
import torch

from lrfr.methods import tc
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Faces, Moment

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
SETTINGS = tc.Settings(distillation_weight=0.1, scale=32, smallest_exponent=3, largest_exponent=5, training=TRAINING)


def moment(step, total=100):
    return Moment(step, total, np.random.default_rng(step))


def method():
    torch.manual_seed(0)
    return tc.build(SETTINGS, (Embedder(ARCHITECTURE), torch.randn(5, 16)), {"auxiliary": 5})


def test_feature_distillation_is_the_sum_of_squared_distances():
    teacher, student = torch.randn(3, 4), torch.randn(3, 4)
    expected = sum(
        (teacher[row, column].item() - student[row, column].item()) ** 2 for row in range(3) for column in range(4)
    )
    assert tc.feature_distillation(teacher, student).item() == pytest.approx(expected, rel=1e-5)


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
    reduced = tc.at_resolution(images, 8)
    assert reduced.shape == images.shape
    assert torch.equal(tc.at_resolution(images, 40), images)
    fine = torch.zeros(1, 3, 40, 40)
    fine[..., ::2] = 1  # stripes that 8 px cannot hold
    assert tc.at_resolution(fine, 8).std() < 0.1 < fine.std()


def test_the_student_starts_as_a_copy_and_the_teacher_never_changes():
    task = method()
    batch = {"auxiliary": Faces(torch.rand(4, 3, 48, 48), torch.arange(4))}
    task.eval()
    terms = task.losses(batch, moment(0), "main")
    assert terms["distillation"].item() == 0
    task.train()
    assert not task.teacher.training
    sum(task.losses(batch, moment(50), "main").values()).backward()
    assert all(parameter.grad is None for parameter in task.teacher.parameters())
    trained = {id(parameter) for group in task.players()["main"] for parameter in group["params"]}
    assert not trained & {id(parameter) for parameter in task.teacher.parameters()}


def test_processes_that_share_a_batch_get_the_loss_of_one():
    task, step = method().eval(), 60  # where some of the faces are shrunk
    images, labels = torch.rand(8, 3, 48, 48), torch.zeros(8, dtype=torch.long)
    terms = task.losses({"auxiliary": Faces(images, labels)}, moment(step), "main")
    parts = [
        task.losses(
            {"auxiliary": Faces(images[2 * process :][:2], labels[:2])},
            dataclasses.replace(moment(step), processes=4, process=process),
            "main",
        )
        for process in range(4)
    ]
    for name, value in terms.items():
        assert sum(part[name].item() for part in parts) / 4 == pytest.approx(value.item(), rel=1e-4)


def test_distillation_is_weighted_by_lambda_and_grows_with_the_curriculum():
    task = method().eval()
    batch = {"auxiliary": Faces(torch.rand(8, 3, 48, 48), torch.zeros(8, dtype=torch.long))}
    assert task.losses(batch, moment(99), "main")["distillation"] > 0
    task.settings = SETTINGS.model_copy(update={"distillation_weight": 0.2})
    doubled = task.losses(batch, moment(99), "main")["distillation"]
    task.settings = SETTINGS
    assert doubled.item() == pytest.approx(2 * task.losses(batch, moment(99), "main")["distillation"].item())
