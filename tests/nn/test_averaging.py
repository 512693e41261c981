import copy

import pytest
import torch

from lrfr.nn.training.averaging import WeightAverage
from tests.nn.small_training import Recognition


def changed(task, seed):
    """Other weights and statistics, as an update leaves them."""
    generator = torch.Generator().manual_seed(seed)
    for value in task.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator))
        else:
            value.add_(1)


def test_it_is_the_exponential_moving_average_of_weights_and_statistics():
    task = Recognition(4)
    average = WeightAverage(task, decay=0.3)
    expected = copy.deepcopy(task.state_dict())
    for step in range(5):
        changed(task, step)
        average.follow(step)
        decay = min(0.3, (1 + step) / (10 + step))
        for name, value in task.state_dict().items():
            floating = value.is_floating_point()
            expected[name] = decay * expected[name] + (1 - decay) * value if floating else value.clone()
    average.settle()
    for name, value in task.state_dict().items():
        assert torch.allclose(value.double(), expected[name].double(), atol=1e-6), name


def test_it_is_in_place_only_while_asked_for():
    task = Recognition(4)
    average = WeightAverage(task, decay=0.9)
    changed(task, 0)
    before = copy.deepcopy(task.state_dict())
    with pytest.raises(ZeroDivisionError), average.in_place():
        assert not torch.equal(task.head.weight, before["head.weight"])
        raise ZeroDivisionError
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items())


def test_it_goes_on_from_its_state():
    task = Recognition(4)
    average, other = WeightAverage(task, 0.9), WeightAverage(copy.deepcopy(task), 0.9)
    changed(task, 0)
    average.follow(50)
    other.load_state_dict(average.state_dict())
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in average.state_dict().items())


def test_frozen_weights_are_left_alone():
    task = Recognition(4)
    task.head.requires_grad_(False)
    names = WeightAverage(task, 0.9).state_dict()
    assert "head.weight" not in names
    assert "embedder.1.running_mean" in names
