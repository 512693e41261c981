"""A super-resolution network trained alone, and kept."""

import pytest
import torch
from safetensors import safe_open
from torch.nn import functional as F

from lrfr.errors import TrainingError
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Model, write_model
from lrfr.nn.super_resolution.alone import SuperResolving
from lrfr.nn.super_resolution.loss import sr_loss
from lrfr.nn.super_resolution.resolver import SuperResolver, read_resolver, write_resolver
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.loop import train
from lrfr.nn.training.task import Faces
from tests.nn.small_training import ADAM, collections, training


def resolver(name="srcnn", size=(16, 16), width=0.25):
    torch.manual_seed(0)
    return SuperResolver(SuperResolution(network=name, width=width), size).eval()


def disturbed(network):
    """With weights other than the identity's, so that it can be told from another one."""
    torch.manual_seed(1)
    with torch.no_grad():
        for value in network.parameters():
            value += 0.05 * torch.randn_like(value)
    return network


def test_faces_of_any_size_become_as_large_as_wanted():
    images = torch.rand(2, 3, 7, 9)
    enlarged = F.interpolate(images, (20, 16), mode="bicubic", antialias=True).clamp(0, 1)
    assert torch.allclose(resolver(size=(20, 16))(images), enlarged, atol=1e-5)
    changed = disturbed(resolver(size=(20, 16)))(images)
    assert changed.shape == (2, 3, 20, 16) and not torch.allclose(changed, enlarged, atol=0.05)
    assert changed.min() == 0 or changed.max() == 1, "what lies outside is cut off"


@pytest.mark.parametrize("name", ["srcnn", "vdsr", "drrn"])
def test_a_network_is_read_as_it_was_written(tmp_path, name):
    written = disturbed(resolver(name, (12, 10)))
    write_resolver(tmp_path / "made", written)
    again = read_resolver(tmp_path / "made")
    images = torch.rand(2, 3, 6, 5)
    assert (again.chosen, again.size, again.training) == (written.chosen, (12, 10), False)
    assert torch.equal(again(images), written(images))
    write_resolver(tmp_path / "again", again)
    assert (tmp_path / "again/model.safetensors").read_bytes() == (tmp_path / "made/model.safetensors").read_bytes()
    with safe_open(tmp_path / "made/model.safetensors", "pt") as file:
        assert list(file.metadata()) == ["lrfr"]


def test_what_is_no_super_resolution_network_is_said(tmp_path):
    with pytest.raises(TrainingError, match=r"not a super-resolution network of lrfr(?s:.*)model.safetensors"):
        read_resolver(tmp_path)
    recogniser = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0)
    write_model(tmp_path, Model(Embedder(recogniser)))
    with pytest.raises(TrainingError, match="not a super-resolution network of lrfr"):
        read_resolver(tmp_path)


def test_validation_is_the_mean_over_the_resolutions():
    task = SuperResolving(disturbed(resolver()), [4, 8])
    images = torch.rand(3, 3, 16, 16)
    each = []
    for side in (4, 8):
        small = F.interpolate(images, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
        large = F.interpolate(small, (16, 16), mode="bicubic", antialias=True).clamp(0, 1)
        each.append(sr_loss(task.resolver.network(large), images).item())
    (found,) = task.validation_losses(Faces(images, torch.zeros(3, dtype=torch.int64))).values()
    assert found.item() == pytest.approx(sum(each) / 2, rel=1e-5)


def test_training_makes_faces_sharper_than_enlarging_them(tmp_path):
    faces, validation = collections("auxiliary")
    make_deterministic(3, 1)
    task = SuperResolving(resolver(), [4, 6])
    whole = Faces(*(torch.cat(parts) for parts in zip(*_batches(validation), strict=True)))
    before = task.validation_losses(whole)["super_resolution"].item()
    chosen = training(**(ADAM | {"epochs": 12, "learning_rate": 2e-3}))
    curves = train(task, faces, validation, chosen, 3, SavedState(tmp_path / "state.pt", "same"))
    assert curves[-1]["validation_super_resolution"] < 0.9 * before
    assert curves[-1]["super_resolution"] < curves[0]["super_resolution"]


def _batches(faces):
    return [(faces.images[row][None], torch.tensor([0])) for row in range(len(faces))]
