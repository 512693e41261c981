"""What a run trains of its backbone: all else of it stays, and what comes of it is a plain network."""

import os
import signal

import pytest
import torch
from torch import nn

from lrfr.errors import InterruptedTrainingError, ParameterError
from lrfr.nn.compute import make_deterministic
from lrfr.nn.networks import NETWORKS
from lrfr.nn.networks.stages import belongs_to, stages_of
from lrfr.nn.trained import LastStages, LowRankAdapters, TrainedPart
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.loop import train
from lrfr.nn.training.steps import Step, train_in_steps
from tests.nn.small_training import Recognition, collections, training
from tests.nn.test_networks import on_meta, small

LORA = LowRankAdapters(name="lora", rank=2)
LAST = LastStages(name="last_stages", stages=1)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_and_statistic_is_of_one_stage(name):
    network = on_meta(name)
    stages = stages_of(network)
    assert len(stages) > 2
    for tensor in network.state_dict():
        assert sum(belongs_to(tensor, names) for names in stages.values()) == 1, tensor


@pytest.mark.parametrize("name", NETWORKS)
def test_the_stages_are_in_the_order_of_the_layers(name):
    network = on_meta(name)
    order = [name for name, _ in network.named_parameters()]
    of_stages = [
        parameter for names in stages_of(network).values() for parameter in order if belongs_to(parameter, names)
    ]
    assert of_stages == order


@pytest.mark.parametrize("name", NETWORKS)
def test_merged_adapters_are_the_plain_network_with_what_they_learnt(name):
    network = small(name).eval()
    plain = {key: value.clone() for key, value in network.state_dict().items()}
    images = torch.rand(2, 3, 48, 40)
    before = network(images)
    part = TrainedPart(network, LORA)
    part.freeze()
    assert network(images).equal(before)  # B is 0
    for key, parameter in network.named_parameters():
        if key.endswith(".up"):
            nn.init.normal_(parameter, std=0.1)
        assert parameter.requires_grad == key.endswith((".up", ".down")), key
    unmerged = network(images)
    assert not torch.allclose(unmerged, before, atol=1e-6)
    part.merge()
    assert torch.allclose(network(images), unmerged, atol=1e-6)
    assert network.state_dict().keys() == plain.keys()
    for key, value in network.state_dict().items():
        changed = (value - plain[key]).double()
        layer = dict(network.named_modules())[key.rpartition(".")[0]]
        if key.endswith("weight") and isinstance(layer, nn.Conv2d | nn.Linear):
            assert torch.linalg.matrix_rank(changed.flatten(1), rtol=1e-3) <= LORA.rank
        else:
            assert not changed.any(), key


def test_more_stages_than_there_are_is_an_error_that_names_them():
    with pytest.raises(ParameterError, match=r"last 9 stages(.|\n)*has 6: stem, stage_1(.|\n)*methods: trained"):
        TrainedPart(small("lrfr_ir18"), LastStages(name="last_stages", stages=9))


class Watched(Recognition):
    """Turns all gradients on at the beginning of a step, as a method may; is stopped once at an update."""

    def __init__(self, chosen, stop=None):
        super().__init__(4)
        self.part, self.stop = TrainedPart(self.embedder, chosen), stop

    def begin(self, step):
        self.requires_grad_(True)

    def losses(self, batch, context, optimizer):
        if context.step == self.stop:
            os.kill(os.getpid(), signal.SIGINT)
        return super().losses(batch, context, optimizer)


def trained(folder, chosen, stop=None, **changes):
    """The task after two steps of three epochs, and its weights before."""
    make_deterministic(3, 1)
    task = Watched(chosen, stop)
    before = {name: value.clone() for name, value in task.state_dict().items()}
    steps = [
        Step(
            name,
            training(**changes),
            lambda: collections("native"),
            3,
            SavedState(folder / name, name),
            folder / "live",
        )
        for name in ("first", "second")
    ]
    train_in_steps(task, steps, lambda curves, trained: None)
    return task, before


@pytest.mark.parametrize("changes", [{}, {"ema_decay": 0.9}])
def test_adapters_alone_learn_whatever_a_step_turns_on(tmp_path, changes):
    task, before = trained(tmp_path, LORA, **changes)
    for name, value in task.state_dict().items():
        moves = name.startswith("head") or name.endswith((".up", ".down"))
        assert value.equal(before[name]) != moves, name
    assert task.embedder[1].num_batches_tracked == 0


def test_the_last_stage_alone_learns(tmp_path):
    task, before = trained(tmp_path, LAST)
    for name, value in task.state_dict().items():
        assert value.equal(before[name]) == name.startswith(("embedder.0", "embedder.1", "embedder.6")), name


@pytest.mark.parametrize("chosen", [LORA, LAST])
def test_an_interrupted_training_ends_alike(tmp_path, chosen):
    whole, _ = trained(tmp_path / "whole", chosen)
    with pytest.raises(InterruptedTrainingError):
        trained(tmp_path / "parts", chosen, stop=4)
    resumed, _ = trained(tmp_path / "parts", chosen)
    for name, value in whole.state_dict().items():
        assert value.equal(resumed.state_dict()[name]), name


def test_a_whole_training_is_what_it_was(tmp_path):
    """Nothing is held where a run trains all of its backbone."""
    make_deterministic(3, 1)
    task = Recognition(4)
    assert task.part is None
    faces, validation = collections("native")
    train(task, faces, validation, training(epochs=1), 3, SavedState(tmp_path / "state", "same"))
    assert task.embedder[1].num_batches_tracked == 3
