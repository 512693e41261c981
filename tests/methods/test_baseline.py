"""Generic recognition: fine-tuned on native faces, if wanted after a step on auxiliary ones."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.methods import baseline
from lrfr.nn.embedder import Architecture
from lrfr.nn.training.task import Faces, StepContext
from tests.methods.backbones import ARCFACE, backbone
from tests.nn.small_training import SETTINGS

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
CLASSES = {"auxiliary": 6, "native": 4}
ONE = {"head": ARCFACE, "training": SETTINGS}
BOTH = ONE | {"auxiliary": SETTINGS}


def build(values):
    torch.manual_seed(0)
    chosen = settings(values, baseline.Settings, "methods.mine")
    model = backbone(ARCHITECTURE)
    collections = [name for step in baseline.steps(chosen).values() for name in step]
    return model, baseline.build(chosen, model, {name: CLASSES[name] for name in collections})


def faces(collection):
    return {collection: Faces(torch.rand(4, 3, 16, 16), torch.arange(4) % CLASSES[collection])}


def now():
    return StepContext(0, 1, np.random.default_rng(0))


def test_its_steps_are_those_that_are_wanted():
    steps = [baseline.steps(settings(values, baseline.Settings, "here")) for values in (ONE, BOTH)]
    assert [list(of.items()) for of in steps] == [
        [("training", ("native",))],
        [("auxiliary", ("auxiliary",)), ("training", ("native",))],
    ]


def test_it_goes_on_from_the_backbone_with_a_new_head():
    model, task = build(ONE)
    assert task.embedder is model.embedder and task.starts_from_backbone
    assert task.head.weight.shape == (4, 8)


def test_each_step_trains_the_backbone_and_the_head_of_its_own_collection():
    _, task = build(BOTH)
    for step, collection in {"auxiliary": "auxiliary", "training": "native"}.items():
        task.begin(step)
        before = {name: value.clone() for name, value in task.train().state_dict().items()}
        optimizer = torch.optim.SGD(task.parameter_groups()["main"][0]["params"], lr=0.1)
        sum(task.losses(faces(collection), now(), "main").values()).backward()
        optimizer.step()
        changed = {name for name, value in task.state_dict().items() if not torch.equal(value, before[name])}
        assert {name for name in changed if name.startswith("heads")} == {f"heads.{collection}.weight"}
        assert {name.partition(".")[0] for name in changed} == {"embedder", "heads"}
        assert task.head.weight.shape == (CLASSES[collection], 8)


@pytest.mark.parametrize(("head", "term"), [("DeepID2", "verification"), ("CenterLoss", "center")])
def test_a_recogniser_of_the_papers_has_its_own_loss(head, term):
    """CSRI, Table 3: DeepID2's identification and verification, CentreFace's centre loss."""
    _, task = build(ONE | {"head": {"name": head}})
    seen = Faces(torch.rand(4, 3, 16, 16), torch.arange(4) % 2)  # two genuine pairs
    terms = task.train().losses({"native": seen}, now(), "main")
    assert set(terms) == {"classification", term} and terms[term] > 0
    sum(terms.values()).backward()
    assert task.head.weight.grad is not None


def test_it_is_judged_without_the_margin_by_the_head_of_the_step():
    _, task = build(BOTH)
    task.eval()
    for step, collection in {"auxiliary": "auxiliary", "training": "native"}.items():
        task.begin(step)
        (some,) = faces(collection).values()
        unit = [F.normalize(value) for value in (task.embed(some.images), task.head.weight)]
        expected = F.cross_entropy(32 * unit[0] @ unit[1].T, some.labels).item()
        assert task.validation_losses(some)["classification"].item() == pytest.approx(expected, rel=1e-4)
        assert task.losses({collection: some}, now(), "main")["classification"].item() > expected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"head": {"name": "ArcFac"}}, "did you mean 'ArcFace'"),
        ({"auxiliary": SETTINGS | {"epochs": -1}}, "greater than or equal to 0"),
        ({"native": SETTINGS}, "unknown parameter 'native'"),
    ],
)
def test_a_wrong_setting_is_refused(changes, said):
    with pytest.raises(ParameterError, match=said):
        settings(ONE | changes, baseline.Settings, "methods.mine")
