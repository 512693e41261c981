"""The section of a backbone, and the model that it may start from."""

import pytest
import torch

from lrfr.config import settings
from lrfr.errors import ParameterError, TrainingError
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import FILE, Facts, Model, sha256_of, write_model
from lrfr.nn.pretraining import Pretraining
from lrfr.nn.start import StartingPoint, read_start
from tests.nn.small_training import SETTINGS

ARCHITECTURE = {"backbone": "lrfr_ir18", "width": 0.125, "embedding_dim": 8, "input_size": 16, "dropout": 0.0}
START = {"model": "imported/mine", "sha256": "0" * 64}
COMMON = {"head": {"name": "Softmax"}, "training": SETTINGS}


def read(**changes):
    return settings(COMMON | changes, Pretraining, "params.yaml: backbones.main")


def test_a_backbone_is_a_new_network_or_a_model_that_is_there():
    assert read(architecture=ARCHITECTURE).start is None
    assert read(start=START).architecture is None
    for both in ({}, {"architecture": ARCHITECTURE, "start": START}):
        with pytest.raises(ParameterError, match="either an architecture or a model to start from, and not both"):
            read(**both)


def test_a_backbone_says_how_faces_are_presented_or_leaves_it_open():
    assert read(architecture=ARCHITECTURE).presentation is None
    for name in ("as_cropped", "arcface_112"):
        assert read(start=START, presentation=name).presentation == name
    with pytest.raises(ParameterError, match=r"no presentation 'aligned'; known: as_cropped, arcface_112(.|\n)*main"):
        read(start=START, presentation="aligned")


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "A" * 64])
def test_what_is_no_hash_is_refused(sha256):
    with pytest.raises(ParameterError, match=r"start\.sha256"):
        read(start=START | {"sha256": sha256})


def test_a_model_is_started_from_if_it_is_the_one_that_is_meant(tmp_path):
    torch.manual_seed(0)
    model = Model(Embedder(Architecture.model_validate(ARCHITECTURE)), Facts(metric="euclidean"))
    folder = tmp_path / "mine"
    with pytest.raises(TrainingError, match=r"model to start from is missing(.|\n)*mine(.|\n)*lrfr import-backbone"):
        read_start(StartingPoint(model=str(folder), sha256="0" * 64))
    write_model(folder, model)
    sha256 = sha256_of(folder / FILE)
    again = read_start(StartingPoint(model=str(folder), sha256=sha256))
    assert again.facts == model.facts and not again.embedder.training
    with pytest.raises(TrainingError, match=rf"is another one: its sha256 is {sha256}, not {'0' * 64}"):
        read_start(StartingPoint(model=str(folder), sha256="0" * 64))
