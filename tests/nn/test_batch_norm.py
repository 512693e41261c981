"""One process alone; tests/nn/test_processes.py has two."""

import copy

import pytest
import torch
import torch.distributed as dist
from torch import nn

from lrfr.errors import TrainingError
from lrfr.nn.training.batch_norm import SynchronisedBatchNorm, synchronise_batch_norm

CPU = torch.device("cpu")


@pytest.fixture
def one_process():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize(
    ("plain", "shape"),
    [
        (nn.BatchNorm2d(3), (4, 3, 5, 6)),
        (nn.BatchNorm1d(3, affine=False), (7, 3)),
        (nn.BatchNorm1d(3, momentum=None), (7, 3, 2)),
        (nn.BatchNorm2d(3, track_running_stats=False), (2, 3, 5, 5)),
    ],
)
def test_in_one_process_it_is_plain_batch_normalisation(one_process, plain, shape):
    plain, ours = copy.deepcopy(plain), SynchronisedBatchNorm(copy.deepcopy(plain))
    for _ in range(3):
        images = (3 + 2 * torch.randn(shape)).requires_grad_()
        same = images.detach().clone().requires_grad_()
        weights = torch.randn(shape)
        (plain(images) * weights).sum().backward()
        (ours(same) * weights).sum().backward()
        assert torch.allclose(images.grad, same.grad, atol=1e-5)
    assert plain.state_dict().keys() == ours.state_dict().keys()
    for name, value in plain.state_dict().items():
        assert torch.allclose(value.float(), ours.state_dict()[name].float(), atol=1e-5), name
    assert torch.allclose(plain.eval()(images), ours.eval()(images), atol=1e-5)


def test_a_network_keeps_its_parameters_names_and_mode():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4), nn.ReLU())).eval()
    parameters, names = list(network.parameters()), list(network.state_dict())
    synchronise_batch_norm(network, CPU)
    assert [id(value) for value in network.parameters()] == [id(value) for value in parameters]
    assert list(network.state_dict()) == names
    assert not network[1][0].training
    images = torch.rand(2, 3, 4, 4)
    assert torch.isfinite(network(images)).all()  # judged without any other process


def test_batch_normalisation_of_another_kind_is_refused_by_its_name():
    class Fused(nn.BatchNorm2d):
        pass

    with pytest.raises(TrainingError, match=r"'1' \(Fused\)"):
        synchronise_batch_norm(nn.Sequential(nn.Identity(), Fused(3)), CPU)
