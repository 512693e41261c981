"""Every method in params.yaml keeps the contract of a method."""

import re

import numpy as np
import pytest
import torch

from lrfr.config import read_params, settings
from lrfr.errors import ParameterError
from lrfr.methods import method, metric, trains_on
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Faces, StepContext
from lrfr.stages import finetune

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=48, dropout=0.1)
METHODS = read_params().methods


def build(name):
    module = method(name)
    chosen = settings(METHODS[name], module.Settings, name)
    torch.manual_seed(0)
    return module, module.build(chosen, (Embedder(ARCHITECTURE), torch.randn(5, 16)), {"native": 5, "auxiliary": 5})


@pytest.mark.parametrize("name", METHODS)
def test_it_cites_its_source(name):
    module = method(name)
    published = re.search(r"\b(19|20)\d\d\b", module.__doc__ or "")
    assert published or not module.STEPS


@pytest.mark.parametrize("name", METHODS)
def test_it_learns_from_collections_that_there_are(name):
    assert set(trains_on(method(name))) <= set(finetune.TABLES)


@pytest.mark.parametrize("name", METHODS)
def test_every_step_has_its_training_and_the_other_way_round(name):
    fields = method(name).Settings.model_fields
    assert [key for key, field in fields.items() if field.annotation is Training] == list(method(name).STEPS)


@pytest.mark.parametrize("name", METHODS)
def test_its_metric_is_one_that_there_is(name):
    assert metric(method(name)) in (None, "cosine", "euclidean")


@pytest.mark.parametrize("name", METHODS)
def test_it_embeds_faces_of_any_size(name):
    _, task = build(name)
    embedding = task.eval().embed(torch.rand(3, 3, 20, 16))
    assert embedding.shape == (3, 16)
    assert torch.isfinite(embedding).all()


@pytest.mark.parametrize(("name", "step"), [(name, step) for name in METHODS for step in method(name).STEPS])
def test_its_named_losses_train_what_it_says_is_trained(name, step):
    module, task = build(name)
    faces = Faces(torch.rand(6, 3, 48, 48), torch.arange(6) % 5)
    batch = dict.fromkeys(module.STEPS[step], faces)
    task.begin(step)
    for optimizer, groups in task.train().parameter_groups().items():
        terms = task.losses(batch, StepContext(5, 10, np.random.default_rng(0)), optimizer)
        assert terms and all(value.ndim == 0 and torch.isfinite(value) for value in terms.values())
        sum(terms.values()).backward()
        trained = [parameter for group in groups for parameter in group["params"]]
        assert all(parameter.grad is not None for parameter in trained)
    assert all(value.ndim == 0 for value in task.eval().validation_losses(faces).values())


@pytest.mark.parametrize("name", METHODS)
def test_an_unknown_setting_is_refused(name):
    with pytest.raises(ParameterError, match="unknown parameter 'wrong'"):
        settings({**METHODS[name], "wrong": 1}, method(name).Settings, name)


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ParameterError, match="baseline"):
        method("baselin")
