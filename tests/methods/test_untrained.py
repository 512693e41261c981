"""What is not trained: the floor, and the backbone as it came."""

import pytest
import torch

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.methods import pretrained, random
from lrfr.nn.embedder import Architecture
from tests.methods.backbones import backbone

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=32, dropout=0.1)
IMAGES = torch.rand(3, 3, 20, 16, generator=torch.Generator().manual_seed(3))


def built(method, seed=1):
    torch.manual_seed(0)
    model = backbone(ARCHITECTURE)
    torch.manual_seed(seed)
    return model, method.build(method.Settings(), model, {})


@torch.inference_mode()
def test_pretrained_is_the_backbone_as_it_came():
    model, task = built(pretrained)
    assert task.embedder is model.embedder
    assert task.starts_from_backbone
    assert torch.equal(task.eval().embed(IMAGES), model.embedder.eval()(IMAGES))


@torch.inference_mode()
def test_random_has_the_backbones_architecture_and_none_of_its_weights():
    model, task = built(random)
    assert task.embedder.architecture == model.embedder.architecture
    assert not task.starts_from_backbone
    learnt = dict(model.embedder.named_parameters())
    drawn = {name for name, value in task.embedder.named_parameters() if value.ndim > 1}
    assert drawn and not any(torch.equal(dict(task.embedder.named_parameters())[name], learnt[name]) for name in drawn)
    assert not torch.allclose(task.eval().embed(IMAGES), model.embedder.eval()(IMAGES), atol=1e-2)


@torch.inference_mode()
def test_random_is_the_same_with_the_same_seed_and_ready_to_be_tested():
    found = [built(random, seed)[1] for seed in (1, 1, 2)]
    assert not any(task.embedder.training for task in found)
    first, again, other = (task.embed(IMAGES) for task in found)
    assert torch.equal(first, again) and not torch.allclose(first, other, atol=1e-2)


@pytest.mark.parametrize("method", [random, pretrained])
def test_neither_is_trained_nor_has_a_metric_of_its_own_nor_a_setting(method):
    assert method.steps(method.Settings()) == {}
    assert not hasattr(method, "METRIC")
    with pytest.raises(ParameterError, match="unknown parameter 'training'"):
        settings({"training": {}}, method.Settings, "methods.mine")
