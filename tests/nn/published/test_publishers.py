"""Publishers that share the names of their tensors: each is fed as it says, and nobody is taken for another."""

import copy

import pytest
import torch
from torch import nn

from lrfr.nn.embedder import Architecture
from lrfr.nn.model_file import read_facts, read_model
from lrfr.nn.networks.irse import IRSE
from lrfr.nn.published.conversion import PUBLICATIONS, Asked, loaded, preprocessing
from tests.nn.published.command import refused, run
from tests.nn.published.publishers import AdaFace, ArcFaceTorch, Evolve, SeNet50, with_statistics

IMAGES = torch.rand((2, 3, 112, 112), generator=torch.Generator().manual_seed(0))
FED = {"RGB": lambda x: (x - 0.5) / 0.5, "BGR": lambda x: (x.flip(1) - 0.5) / 0.5}


def tiny(network, prefix="", leave_out=()):
    """The names of a network's tensors, with next to nothing under each."""
    return {prefix + name: torch.zeros(1) for name in network().state_dict() if not name.startswith(leave_out)}


@pytest.fixture(scope="module")
def magface():
    """MagFace's network: arcface_torch's layers, with another epsilon."""
    torch.manual_seed(0)
    network = with_statistics(ArcFaceTorch(18), 1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.eps = 2e-5
    network.features.running_var.fill_(1e-5)  # so that it matters
    return network


@pytest.mark.parametrize("prefix", ["features.module.", "module.features."])
def test_magface_takes_bgr_as_it_is(project, magface, prefix):
    state = {prefix + name: value for name, value in magface.state_dict().items()}
    head = {"features.module.": "parallel_fc.weight", "module.features.": "module.fc.weight"}[prefix]
    torch.save({"epoch": 25, "arch": "iresnet18", "state_dict": state | {head: torch.ones(512, 3)}}, "magface.pth")
    output = run("magface.pth").output
    assert f"magface, lrfr_ir18, 24,025,600 parameters, 112 x 112 px in, 512 out; left out: {head}" in output
    assert "images: BGR, (value - [0.0, 0.0, 0.0]) / [1.0, 1.0, 1.0]" in output
    assert read_facts(project / "imported/magface").presentation == "arcface_112"
    with torch.inference_mode():
        given = read_model(project / "imported/magface", with_landmarks=False).embedder(IMAGES)
        expected = magface(IMAGES.flip(1))
    assert torch.allclose(given, expected, atol=1e-5 * expected.norm().item())


@pytest.mark.parametrize(
    ("state", "publishers"),
    [
        (lambda: tiny(lambda: ArcFaceTorch(18)), ["arcface_torch", "magface", "cvlface"]),
        (lambda: tiny(lambda: AdaFace(18)), ["adaface", "cvlface"]),
        (lambda: tiny(lambda: AdaFace(100)), ["adaface", "cvlface"]),
        (lambda: tiny(lambda: Evolve((3, 4, 14, 3), gated=True)), ["face_evolve", "insightface_pytorch"]),
        (lambda: tiny(lambda: Evolve((3, 8, 36, 3)), "module."), ["face_evolve", "insightface_pytorch"]),
        (lambda: tiny(SeNet50, leave_out=("classifier",)), ["massoli", "vggface2_dag"]),
    ],
)
def test_names_that_publishers_share_are_asked_for(state, publishers):
    with torch.device("meta"):
        names = state()
    torch.save({name: torch.zeros(1) for name in names}, "bare.pth")
    output = refused("bare.pth")
    assert "several publishers have these names" in output
    assert f"say whose it is by --format {' or --format '.join(publishers)}" in output
    for name in publishers:
        told = refused("bare.pth", "--format", name, *(["--colour", "RGB"] if name == "cvlface" else []))
        assert "tensors have another shape" in told


@pytest.mark.parametrize(
    ("prefix", "build", "format"),
    [
        ("state_dict_backbone.", lambda: ArcFaceTorch(18), "lrfr_ir18"),
        ("features.module.", lambda: ArcFaceTorch(18), "lrfr_ir18"),
        ("model.", lambda: AdaFace(18), "lrfr_ir18_adaface"),
        ("", lambda: Evolve((3, 13, 30, 3), affine=False), "lrfr_ir101_curricularface"),
        ("module.", lambda: Evolve((3, 13, 30, 3), affine=False), "lrfr_ir101_curricularface"),
        ("", SeNet50, "lrfr_seresnet50"),
    ],
)
def test_names_of_one_publisher_are_not(prefix, build, format):
    with torch.device("meta"):
        names = tiny(build, prefix)
    torch.save({name: torch.zeros(1) for name in names}, "one.pth")
    assert f"not the weights of '{format}': tensors have another shape" in refused("one.pth")


@pytest.mark.parametrize(
    ("format", "backbone"),
    [
        (format, backbone)
        for backbone in IRSE
        for format in (
            ["curricularface"] if backbone.endswith("curricularface") else ["face_evolve", "insightface_pytorch"]
        )
    ],
)
def test_networks_with_and_without_gates_embed_as_their_publishers(format, backbone):
    blocks, gated, _ = IRSE[backbone]
    curricular = backbone.endswith("curricularface")
    torch.manual_seed(0)
    theirs = with_statistics(Evolve(blocks, gated, affine=not curricular, narrow=16, dim=24), 1)
    layout, publication = PUBLICATIONS[format].layouts[0], PUBLICATIONS[format]
    assert layout.backbone(theirs.state_dict()) == backbone
    architecture = Architecture(
        backbone=backbone, width=1 / 16, embedding_dim=24, input_size=112, dropout=0.0,
        preprocessing=preprocessing(publication, Asked()),
    )  # fmt: skip
    state = copy.deepcopy(theirs.state_dict())
    embedder, left_out = loaded(architecture, state, lambda ours: layout.name(ours, backbone), publication.beside)
    assert left_out == []
    with torch.inference_mode():
        expected = theirs(FED["BGR" if format == "insightface_pytorch" else "RGB"](IMAGES))
        assert torch.allclose(embedder(IMAGES), expected, atol=1e-4 * expected.norm().item())
