"""Every run of the default and of the papers' parameter files keeps the contract of a method."""

import json
import re

import numpy as np
import pytest
import torch
import yaml

from lrfr.config import Params, settings
from lrfr.errors import ParameterError
from lrfr.methods import FLOOR, floor, read_run
from lrfr.nn.embedder import Architecture
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Faces, StepContext
from lrfr.parameter_files import composed
from lrfr.registry import components
from lrfr.stages import finetune
from tests.contract.imports import ROOT
from tests.methods.backbones import backbone

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=48, dropout=0.1)
FILES = ("small", "csri", "tc", "rifr", "ri", "ran")


def runs():
    """The runs of the parameter files, each that several of them have once."""
    found = {}
    for file in FILES:
        values = yaml.safe_load(composed(ROOT / "params" / f"{file}.yaml"))
        params = settings(values, Params, file)
        for name, chosen in params.methods.items():
            found.setdefault(json.dumps(chosen, sort_keys=True), (name, params))
    return [pytest.param(read_run(name, params), id=f"{number}-{name}") for number, (name, params) in
            enumerate(found.values())]  # fmt: skip


RUNS = runs()


def build(run):
    torch.manual_seed(0)
    return run.method.build(run.settings, backbone(ARCHITECTURE), dict.fromkeys(finetune.TABLES, 5))


def test_the_files_have_a_run_of_every_method():
    methods = {parameter.values[0].method.__name__.rpartition(".")[2] for parameter in RUNS}
    assert methods == set(components("lrfr.methods"))


@pytest.mark.parametrize("run", RUNS)
def test_it_cites_its_source(run):
    published = re.search(r"\b(19|20)\d\d\b", run.method.__doc__ or "")
    assert published or run.method.__name__ == f"lrfr.methods.{FLOOR}"


@pytest.mark.parametrize("run", RUNS)
def test_it_learns_from_collections_that_there_are(run):
    assert set(run.collections) <= set(finetune.TABLES)
    assert list(run.collections) == sorted(set(run.collections), key=run.collections.index)
    assert set(run.collections) == {name for step in run.steps.values() for name in step}
    assert all(run.steps.values())


@pytest.mark.parametrize("run", RUNS)
def test_every_step_has_its_training_and_the_other_way_round(run):
    fields = type(run.settings).model_fields
    assert [key for key in fields if isinstance(getattr(run.settings, key), Training)] == list(run.steps)


@pytest.mark.parametrize("run", RUNS)
def test_its_metric_is_one_that_there_is(run):
    assert getattr(run.method, "METRIC", "cosine") in ("cosine", "euclidean")


@pytest.mark.parametrize("run", RUNS)
def test_it_embeds_faces_of_any_size(run):
    embedding = build(run).eval().embed(torch.rand(3, 3, 20, 16))
    assert embedding.shape == (3, 16)
    assert torch.isfinite(embedding).all()


@pytest.mark.parametrize(
    ("run", "step"),
    [
        pytest.param(run.values[0], step, id=f"{run.id}-{step}")
        for run in RUNS
        for step in run.values[0].steps  # pyrefly: ignore - a run
    ],
)
def test_its_named_losses_train_what_it_says_is_trained(run, step):
    task = build(run)
    faces = Faces(torch.rand(6, 3, 48, 48), torch.arange(6) % 5)
    batch = dict.fromkeys(run.steps[step], faces)
    task.begin(step)
    for optimizer, groups in task.train().parameter_groups().items():
        terms = task.losses(batch, StepContext(5, 10, np.random.default_rng(0)), optimizer)
        assert terms and all(value.ndim == 0 and torch.isfinite(value) for value in terms.values())
        sum(terms.values()).backward()
        trained = [parameter for group in groups for parameter in group["params"]]
        assert trained and all(parameter.grad is not None for parameter in trained)
    assert all(value.ndim == 0 for value in task.eval().validation_losses(faces).values())


@pytest.mark.parametrize("run", RUNS)
def test_an_unknown_setting_is_refused(run):
    with pytest.raises(ParameterError, match="unknown parameter 'wrong'"):
        settings({**run.settings.model_dump(), "wrong": 1}, run.method.Settings, run.name)


@pytest.mark.parametrize("file", FILES)
def test_every_file_has_the_untrained_floor(file):
    params = settings(yaml.safe_load(composed(ROOT / "params" / f"{file}.yaml")), Params, file)
    name = floor(params)
    assert name is not None and params.methods[name]["method"] == FLOOR
