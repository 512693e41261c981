import pytest
import timm
import torch

import lrfr.nn.backbones  # registers them
from lrfr.errors import ParameterError
from lrfr.nn.networks import NETWORKS
from lrfr.nn.networks.shape import Shape


def test_timm_knows_every_network_of_ours():
    assert set(timm.list_models("lrfr_*")) == set(NETWORKS)
    assert all(map(timm.is_model, NETWORKS))
    assert not timm.list_models("lrfr_*", pretrained=True)
    assert all(callable(getattr(lrfr.nn.backbones, name)) for name in NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_timm_knows_what_a_network_takes(name):
    published, known = NETWORKS[name].published, timm.models.get_pretrained_cfg(name)
    assert known.architecture == name
    assert known.input_size == (3, *published.size)
    assert known.num_classes == published.embedding_dim


def test_timm_makes_the_published_network():
    with torch.device("meta"):
        model = timm.create_model("lrfr_centreface")
        assert model(torch.empty(2, 3, 112, 96)).shape == (2, model.num_features) == (2, 512)
    data = timm.data.resolve_model_data_config(model)
    assert data["input_size"] == (3, 112, 96)
    assert data["mean"] == data["std"] == (0.5, 0.5, 0.5)


def test_timms_keywords_vary_it():
    torch.manual_seed(0)
    model = timm.create_model("lrfr_sphereface20", num_classes=16, img_size=(40, 32), drop_rate=0.3, width=0.125)
    torch.manual_seed(0)
    ours = NETWORKS["lrfr_sphereface20"].build(Shape((40, 32), embedding_dim=16, dropout=0.3, width=0.125))
    assert str(ours) == str(model)
    assert all(torch.equal(theirs, own) for theirs, own in zip(model.parameters(), ours.parameters(), strict=True))
    assert timm.data.resolve_model_data_config(model)["input_size"] == (3, 40, 32)


def test_one_number_is_a_square():
    model = timm.create_model("lrfr_mobilefacenet", img_size=32, width=0.125).eval()
    assert model(torch.rand(1, 3, 32, 32)).shape == (1, 128)


def test_no_classifier_leaves_the_published_embedding():
    assert timm.create_model("lrfr_deepid2", num_classes=0)(torch.rand(1, 3, 55, 47)).shape == (1, 160)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pretrained": True}, r"no pretrained weights of lrfr_ir50.*\n.*lrfr import-backbone"),
        ({"in_chans": 1}, "three channels, not 1"),
        ({"width": 0}, "width of 0 is out of range"),
    ],
)
def test_what_cannot_be_made_is_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        timm.create_model("lrfr_ir50", **options)
