"""CR-FIQA's terms against naive recomputations."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.methods import crfiqa
from lrfr.nn.embedder import Architecture
from lrfr.nn.training.task import Faces, StepContext
from tests.methods.backbones import backbone
from tests.nn.small_training import SETTINGS

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
VALUES = {"head": {"name": "ArcFace", "scale": 16.0, "margin": 0.3}, "training": SETTINGS}


def build(classes=4, **changes):
    torch.manual_seed(0)
    chosen = settings(VALUES | changes, crfiqa.Settings, "here")
    return crfiqa.build(chosen, backbone(ARCHITECTURE), {"native": classes})


def test_the_ratio_is_that_of_equations_2_to_4_without_gradient():
    embedding, prototypes, labels = torch.randn(5, 6, requires_grad=True), torch.randn(4, 6), torch.arange(5) % 4
    found = crfiqa.certainty_ratio(embedding, prototypes, labels)
    assert not found.requires_grad
    for v, label, value in zip(embedding.detach(), labels.tolist(), found.tolist(), strict=True):
        cosine = [float(v @ w / (v.norm() * w.norm())) for w in prototypes]
        nearest = max(c for j, c in enumerate(cosine) if j != label)
        assert value == pytest.approx(cosine[label] / (nearest + 1 + 1e-9), rel=1e-4)


@pytest.mark.parametrize("difference", [0.0, 0.3, -0.49, 0.5, 2.0])
def test_the_regression_is_equation_5(difference):
    expected = difference**2 if abs(difference) < 0.5 else abs(difference) - 0.25
    found = crfiqa.classifiability_loss(torch.tensor([1.0]), torch.tensor([1.0 + difference]))
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_its_terms_are_weighted_and_train_the_quality():
    task = build(classifiability_weight=4.0).train()
    faces = Faces(torch.rand(6, 3, 16, 16), torch.arange(6) % 4)
    terms = task.losses({"native": faces}, StepContext(0, 10, np.random.default_rng(0)), "main")
    embedding, predicted = task.embedder.assess(faces.images)
    ratio = crfiqa.certainty_ratio(embedding, task.head.weight, faces.labels)
    assert terms["classifiability"].item() == pytest.approx(4 * crfiqa.classifiability_loss(predicted, ratio).item())
    expected = F.cross_entropy(task.head(embedding, faces.labels), faces.labels).item()
    assert terms["classification"].item() == pytest.approx(expected, rel=1e-5)
    terms["classifiability"].backward()
    assert all(value.grad is not None for value in task.embedder.quality.parameters())
    assert next(task.embedder.backbone.parameters()).grad is not None
    assert task.embedder.architecture.quality.name == "classifiability"


def test_what_cannot_be_is_refused():
    with pytest.raises(ParameterError, match="1 identity"):
        build(classes=1)
    with pytest.raises(ParameterError, match="leave sample_rate out"):
        build(head=VALUES["head"] | {"sample_rate": 0.5})
