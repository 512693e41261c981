import pytest
import torch

from lrfr.errors import TrainingError
from lrfr.nn import compute
from tests.nn import shared_trainings
from tests.nn.small_training import run
from tests.nn.torchrun import torchrun


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    return folder, torchrun("-m", "tests.nn.shared_trainings", str(folder))


@pytest.mark.parametrize("name", shared_trainings.TRAININGS)
def test_two_processes_train_as_one_with_the_same_batch(shared, tmp_path, name):
    shared_trainings.train_all(tmp_path)
    (alone, weights), (together, weights_together) = (
        torch.load(folder / f"{name}.pt") for folder in (tmp_path, shared[0])
    )
    for row, row_together in zip(alone, together, strict=True):
        assert row_together == pytest.approx(row, rel=1e-3)
    assert torch.allclose(weights["head.weight"], weights_together["head.weight"], atol=1e-3)


def test_a_loss_that_is_not_finite_in_one_process_stops_all_alike(shared):
    said = {(shared[0] / f"broken{process}.txt").read_text() for process in range(2)}
    assert len(said) == 1
    assert "'broken' is nan at update 2" in said.pop()


def test_a_request_to_one_process_stops_all_and_one_says_so(shared):
    _, outcome = shared
    assert outcome.returncode != 0
    assert outcome.stderr.count("training was stopped after update 5; its state is saved") == 1


def test_another_number_of_processes_takes_the_training_up(shared, tmp_path, capsys):
    _, whole = run(tmp_path, dropout=0.0)
    _, curves = run(shared[0] / "stopped", dropout=0.0)
    assert "resuming the training at update 5, with 1 processes instead of 2" in capsys.readouterr().out
    assert curves[-1] == pytest.approx(whole[-1], rel=1e-3)


def test_a_process_takes_a_gpu_of_its_own_or_says_that_there_are_too_few(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(compute, "processes_here", lambda: 2)
    monkeypatch.setattr(compute, "number_here", lambda: 1)
    assert compute.device() == torch.device("cuda", 1)
    monkeypatch.setattr(compute, "processes_here", lambda: 3)
    with pytest.raises(TrainingError, match="3 processes on this machine, which has 2 GPUs"):
        compute.device()
