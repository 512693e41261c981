import pytest
import torch

from lrfr.errors import ParameterError
from lrfr.faces import decode
from lrfr.nn.backbones import Architecture, Embedder
from lrfr.nn.images import FaceImages
from lrfr.nn.model_file import read_model, write_model
from tests.face_tables import face_table

SMALL = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=32, dropout=0.1)


# insightface's published networks at 112 px: 24.03, 34.14, 43.59 and 65.16 million parameters
@pytest.mark.parametrize(
    ("name", "millions"), [("lrfr_ir18", 24.03), ("lrfr_ir34", 34.14), ("lrfr_ir50", 43.59), ("lrfr_ir100", 65.16)]
)
def test_parameter_counts_are_the_published_ones(name, millions):
    published = Architecture(backbone=name, width=1.0, embedding_dim=512, input_size=112, dropout=0.0)
    count = sum(parameter.numel() for parameter in Embedder(published).parameters())
    assert count / 1e6 == pytest.approx(millions, rel=1e-3)


@pytest.mark.parametrize("size", [(32, 32), (9, 7), (60, 41)])
def test_faces_of_any_size_are_embedded(size):
    embedding = Embedder(SMALL).eval()(torch.rand(2, 3, *size))
    assert embedding.shape == (2, 16)
    assert embedding.dtype == torch.float32


def test_timm_models_are_backbones_too():
    architecture = SMALL.model_copy(update={"backbone": "resnet10t"})
    assert Embedder(architecture).eval()(torch.rand(2, 3, 32, 32)).shape == (2, 16)


def test_an_unknown_backbone_is_named():
    with pytest.raises(ParameterError, match=r"unknown backbone 'lrfr_ir19'\n.*did you mean 'lrfr_ir"):
        Embedder(SMALL.model_copy(update={"backbone": "lrfr_ir19"}))


def test_a_model_is_read_as_it_was_written(tmp_path):
    torch.manual_seed(0)
    embedder, head = Embedder(SMALL).eval(), torch.randn(3, 16)
    write_model(tmp_path, embedder, head)
    first = (tmp_path / "model.safetensors").read_bytes()
    again, prototypes = read_model(tmp_path)
    images = torch.rand(2, 3, 20, 20)
    assert torch.equal(embedder(images), again(images))
    assert torch.equal(head, prototypes)
    write_model(tmp_path, again, prototypes)
    assert (tmp_path / "model.safetensors").read_bytes() == first


def test_faces_are_resized_for_the_tests_as_the_model_resizes_them():
    torch.manual_seed(0)
    embedder = Embedder(SMALL).eval()
    faces = face_table(people=2, images=1)
    through_the_table = embedder(torch.stack([FaceImages(faces, 32)[row, 0] for row in range(2)]))
    for row, image in enumerate(faces["image"].to_pylist()):
        pixels = torch.from_numpy(decode(image).copy()).permute(2, 0, 1)[None] / 255
        assert torch.allclose(embedder(pixels)[0], through_the_table[row], atol=1e-5)
