"""Published checkpoints become models of ours that embed as their publishers' own networks do."""

import hashlib
import os
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import yaml
from safetensors.torch import save_file
from torch import nn
from typer.testing import CliRunner

from lrfr import cli, memory
from lrfr.errors import TrainingError
from lrfr.nn.model_file import Facts, read_facts, read_model
from lrfr.nn.start import StartingPoint, read_start
from lrfr.stages.import_backbone import FORMATS
from tests.nn.published.publishers import AdaFace, ArcFaceTorch, SeNet50, with_statistics

HALF = np.array([0.5, 0.5, 0.5])
CAFFE = np.array([91.4953, 103.8827, 131.0912])  # BGR, 0..255


def photo(height, width):
    """RGB uint8 (H, W, 3), whose channels are unlike each other."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / 9) + columns / width, np.cos(columns / 7), np.sin((rows + columns) / 5) - 0.7]
    return np.clip(np.stack(waves, axis=2) * 60 + [170, 110, 60], 0, 255).astype(np.uint8)


def as_rgb(image):
    """What RGB networks of -1..1 are fed with."""
    return torch.from_numpy((image / 255 - HALF) / HALF).float().permute(2, 0, 1)[None]


def as_bgr(image):
    return as_rgb(image[:, :, ::-1].copy())


def as_caffe(image):
    return torch.from_numpy(image[:, :, ::-1] - CAFFE).float().permute(2, 0, 1)[None]


def as_dag(image):
    return torch.from_numpy(image - CAFFE[::-1]).float().permute(2, 0, 1)[None]


def run(*arguments):
    return CliRunner().invoke(cli.app, ["import-backbone", *map(str, arguments)])


def imported(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments):
    result = run(*arguments)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert not list(here().rglob("model.safetensors"))
    return result.output


def here():
    return Path.cwd() / "imported"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def arcface():
    torch.manual_seed(0)
    return with_statistics(ArcFaceTorch(18), 1)


@pytest.fixture(scope="module")
def adaface():
    torch.manual_seed(1)
    return with_statistics(AdaFace(18), 2)


@pytest.fixture(scope="module")
def senet():
    torch.manual_seed(2)
    return with_statistics(SeNet50(), 3)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(4)
    return with_statistics(timm.create_model("resnet10t", num_classes=7), 5)


@pytest.fixture(scope="module")
def r18(arcface, tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "r18.pt"
    torch.save(prefixed("module.", arcface), path)
    return path


def prefixed(prefix, network):
    return {prefix + name: value for name, value in network.state_dict().items()}


def assert_embeds_as(network, fed, folder, side):
    image = photo(side, side)
    model = read_model(here() / folder, with_landmarks=False)
    embedder = model.embedder
    assert model.prototypes is None
    told = model.facts.provenance["format"]
    presentation = "arcface_112" if told in ("arcface_torch", "adaface", "cvlface") else "as_cropped"
    assert model.facts == Facts(presentation=presentation, provenance=model.facts.provenance)  # the rest nobody says
    with torch.inference_mode():
        expected = network(fed(image))
        given = embedder(torch.from_numpy(image).permute(2, 0, 1)[None] / 255)
    scale = expected.norm()
    assert scale > 0
    assert torch.allclose(given / scale, expected / scale, atol=1e-5)


def adaface_checkpoint(network, monkeypatch):
    """As Lightning wrote AdaFace's: with the head, and with classes of its own among the training's state."""
    module = types.ModuleType("pytorch_lightning")
    for name in ("ModelCheckpoint", "AttributeDict"):
        setattr(module, name, type(name, (dict,), {"__module__": "pytorch_lightning"}))
    monkeypatch.setitem(sys.modules, "pytorch_lightning", module)
    return {
        "epoch": 25,
        "pytorch-lightning_version": "1.4.4",
        "state_dict": {
            **prefixed("model.", network),
            "head.kernel": torch.ones(512, 3),
            "head.batch_mean": torch.ones(1),
        },
        "callbacks": {module.ModelCheckpoint: {"best_model_score": torch.tensor(0.9)}},
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]}],
        "hyper_parameters": module.AttributeDict(arch="ir_18", head="adaface", lr=np.float64(0.1)),
    }


def test_adaface_takes_bgr(adaface, monkeypatch):
    torch.save(adaface_checkpoint(adaface, monkeypatch), "adaface_ir18.ckpt")
    monkeypatch.delitem(sys.modules, "pytorch_lightning")  # nobody needs it to import
    output = imported("adaface_ir18.ckpt", "--licence", "MIT")
    assert_embeds_as(adaface, as_bgr, "adaface_ir18", 112)
    assert "adaface, lrfr_ir18_adaface, 24,020,352 parameters, 112 x 112 px in, 512 out" in output
    assert "left out: head.batch_mean, head.kernel" in output
    assert "images: BGR" in output
    assert "licence: MIT" in output


def test_arcface_torch_takes_rgb(arcface):
    torch.save(prefixed("module.", arcface), "backbone.pth", _use_new_zipfile_serialization=False)
    agreeing = ["--colour", "RGB", "--mean", "0.5,0.5,0.5", "--architecture", "lrfr_ir18", "--format", "arcface_torch"]
    output = imported("backbone.pth", "--name", "r18", *agreeing)
    assert_embeds_as(arcface, as_rgb, "r18", 112)
    assert "licence: unknown (--licence says it)" in output


def test_arcface_torch_with_its_training_state(arcface):
    torch.save({"epoch": 3, "state_dict_backbone": arcface.state_dict(), "state_optimizer": {}}, "checkpoint_gpu_0.pt")
    imported("checkpoint_gpu_0.pt")
    assert_embeds_as(arcface, as_rgb, "checkpoint_gpu_0", 112)


def test_cvlface_takes_what_its_configuration_says(adaface):
    save_file(prefixed("model.net.", adaface), "model.safetensors")
    assert "--colour is needed" in refused("model.safetensors")
    imported("model.safetensors", "--colour", "RGB")
    assert_embeds_as(adaface, as_rgb, "model", 112)


def test_massoli_takes_bgr_less_the_means(senet):
    torch.save({"best_acc": np.float64(0.9), "epoch": 1, "model_state_dict": senet.state_dict()}, "models_ckp.pth")
    output = imported("models_ckp.pth")
    assert_embeds_as(senet, as_caffe, "models_ckp", 224)
    assert "224 x 224 px in, 2048 out; left out: classifier_1." in output


def test_the_other_conversion_of_vggface2_takes_rgb(senet):
    state = {name.replace("classifier_1", "classifier"): value for name, value in senet.state_dict().items()}
    torch.save(state, "senet50_ft_dag.pth")
    imported("senet50_ft_dag.pth")
    assert_embeds_as(senet, as_dag, "senet50_ft_dag", 224)


def test_without_its_classifier_nobody_can_tell_the_two_apart(senet):
    bare = {name: value for name, value in senet.state_dict().items() if not name.startswith("classifier")}
    torch.save(bare, "senet.pth")
    assert "say whose file it is: --format massoli or --format vggface2_dag" in refused("senet.pth")
    imported("senet.pth", "--format", "massoli")
    assert_embeds_as(senet, as_caffe, "senet", 224)


class TestTimm:
    def test_features_by_the_record_of_the_tag(self, network):
        torch.save(network.state_dict(), "resnet.pth")
        asked = ["resnet.pth", "--architecture", "resnet10t.c3_in1k"]
        assert "'fc' gives 7 numbers, the features before it 512" in refused(*asked)
        output = imported(*asked, "--embedding-dim", 512, "--input-size", 64)
        record = timm.get_pretrained_cfg("resnet10t.c3_in1k")

        def fed(image):
            return torch.from_numpy((image / 255 - record.mean) / record.std).float().permute(2, 0, 1)[None]

        assert_embeds_as(
            lambda x: network.forward_head(network.forward_features(x), pre_logits=True), fed, "resnet", 64
        )
        assert "left out: fc.bias, fc.weight" in output

    def test_last_layer_by_what_the_user_says(self, network):
        save_file(network.state_dict(), "resnet.safetensors")
        asked = ["resnet.safetensors", "--architecture", "resnet10t", "--embedding-dim", 7, "--input-size", 64]
        assert "--colour is needed" in refused(*asked)
        imported(*asked, "--colour", "BGR", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5")
        assert_embeds_as(network, as_bgr, "resnet", 64)

    def test_an_unknown_model_or_tag(self, network):
        torch.save(network.state_dict(), "resnet.pth")
        assert "timm has no model 'resnet10tt'" in refused("resnet.pth", "--architecture", "resnet10tt")
        assert "Invalid pretrained tag" in refused("resnet.pth", "--architecture", "resnet10t.mine")


def test_it_tells_how_to_start_from_it(arcface, r18):
    output = imported(r18, "--licence", "non-commercial research")
    start = StartingPoint(**yaml.safe_load(output[output.index("    start:") :])["start"])
    assert start.model == "imported/r18"
    assert start.sha256 == hashlib.sha256((here() / "r18/model.safetensors").read_bytes()).hexdigest()
    assert read_start(start).embedder.architecture.backbone == "lrfr_ir18"
    assert "faces: arcface_112" in output
    assert read_start(start).facts.presentation == "arcface_112"
    assert read_facts(here() / "r18").provenance == {
        "file": "r18.pt",
        "sha256": hashlib.sha256(r18.read_bytes()).hexdigest(),
        "format": "arcface_torch",
        "preprocessing_by": "insightface, arcface_torch/inference.py: OpenCV's BGR is turned into RGB; "
        "(v / 255 - 0.5) / 0.5",
        "licence": "non-commercial research",
        "parameters": 24_025_600,
        "left_out": [],
    }

    first = (here() / "r18/model.safetensors").read_bytes()
    imported(r18, "--licence", "non-commercial research")
    assert (here() / "r18/model.safetensors").read_bytes() == first
    torch.save({**prefixed("module.", arcface), "module.prelu.weight": torch.zeros(64)}, "other.pt")
    result = run("other.pt", "--name", "r18")
    assert result.exit_code == 1
    assert "another file was imported under this name" in result.output
    assert (here() / "r18/model.safetensors").read_bytes() == first

    with pytest.raises(TrainingError, match=r"imported/r18/landmarks\.safetensors"):
        read_model(Path(start.model))  # nobody can embed by it as it is: it finds no landmarks
    with pytest.raises(TrainingError, match="its sha256 is"):
        read_start(start.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(TrainingError, match="is missing"):
        read_start(start.model_copy(update={"model": "imported/r50"}))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--colour", "BGR"], "--colour BGR contradicts the publisher's RGB"),
        (
            ["--mean", "0.485,0.456,0.406"],
            "--mean 0.4850,0.4560,0.4060 contradicts the publisher's 0.5000,0.5000,0.5000",
        ),
        (["--std", "0.5,0.5"], "three numbers 0..1"),
        (["--mean", "127.5,127.5,127.5"], "divide them by 255"),
        (["--architecture", "lrfr_ir50"], "the file holds 'lrfr_ir18', not 'lrfr_ir50'"),
        (["--format", "adaface"], "these are not adaface's names: module.conv1.weight"),
        (["--format", "facenet"], "known: arcface_torch, magface, adaface, cvlface, curricularface"),
        (["--input-size", "96"], "fix the size"),
        (["--name", "../r18"], "cannot be a folder's name"),
    ],
)
def test_what_contradicts_the_publisher_is_refused(r18, options, says):
    assert says in refused(r18, *options)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("layer3.1.bn2.bias"), "tensors are missing: layer3.1.bn2.bias"),
        (lambda state: state.update(quality=torch.ones(2)), "tensors have no place: quality"),
        (lambda state: state.update({"fc.weight": torch.ones(256, 25088)}), "is (256, 25088), not (512, 25088)"),
        (
            lambda state: state["layer2.0.conv1.weight"].view(-1)[7:8].fill_(float("nan")),
            "tensors are not finite: stages.2",
        ),
        (lambda state: state["bn1.running_var"][3:4].fill_(-1), "variances are negative: stem.1.running_var"),
        (lambda state: state.update({"conv1.weight": state["conv1.weight"].int()}), "of whole numbers: stem.0.weight"),
        (lambda state: state.update({"conv1.weight": state["conv1.weight"].to_sparse()}), "'conv1.weight' is no plain"),
        (lambda state: state.update({"conv1.weight": state["conv1.weight"].to("meta")}), "without values"),
        (lambda state: state.update({"fc.weight": state["fc.weight"].to(torch.complex64)}), "'fc.weight' is no plain"),
        (lambda state: state.pop("layer4.1.bn1.weight"), "of a depth that lrfr does not know"),
    ],
)
def test_other_weights_than_the_networks_are_refused(arcface, change, says):
    state = {name: value.clone() for name, value in arcface.state_dict().items()}
    change(state)
    torch.save(state, "r18.pt")
    output = refused("r18.pt", "--format", "arcface_torch")
    assert says in output
    assert "where: r18.pt" in output


def test_two_tensors_for_one_place_are_refused(adaface):
    state = {f"model.{name}": value for name, value in adaface.state_dict().items()}
    state["body.0.res_layer.1.weight"] = torch.zeros_like(state["model.body.0.res_layer.1.weight"])
    torch.save(state, "twice.ckpt")
    assert "tensors have no place: model.body.0.res_layer.1.weight" in refused("twice.ckpt")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.pt", None, "there is no such file"),
        (".", None, "this is a folder"),
        ("empty.pt", b"", "damaged, or no checkpoint"),
        ("text.pt", b"<html>404</html>", "damaged, or no checkpoint"),
        ("cut.safetensors", (10**6).to_bytes(8, "little") + b'{"a":', "damaged, or no checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_said(project, name, content, says):
    if content is not None:
        (project / name).write_bytes(content)
    assert says in refused(name)


def test_a_file_that_was_cut_off(r18, project):
    (project / "cut.pt").write_bytes(r18.read_bytes()[:1_000_000])
    assert "damaged, or no checkpoint" in refused("cut.pt")


def test_the_help_names_every_format():
    said = run("--help").output
    assert all(format in said for format in FORMATS)


def test_tensors_of_nobody(project):
    torch.save({"encoder.weight": torch.ones(2)}, "x.pt")
    assert re.search(
        r"nobody's layout that lrfr knows: encoder.weight.*--format, one of arcface_torch", refused("x.pt"), re.S
    )
    torch.save([1, 2], "x.pt")
    assert "the file holds no tensors by name" in refused("x.pt")


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("legacy", [False, True])
def test_a_hostile_pickle_is_refused_and_nothing_of_it_is_run(project, legacy):
    checkpoint = {"state_dict": {"a": torch.ones(1)}, "hyper_parameters": Hostile(os.system, "touch run")}
    torch.save(checkpoint, "evil.ckpt", _use_new_zipfile_serialization=not legacy)
    output = refused("evil.ckpt")
    assert "this file is a program" in output
    assert "posix.system" in output
    assert not (project / "run").exists()


def test_what_passes_for_training_state_is_not_run_either(project, monkeypatch):
    def touch(path):
        Path(path).touch()

    touch.__module__, touch.__qualname__ = "pytorch_lightning", "touch"
    monkeypatch.setitem(sys.modules, "pytorch_lightning", types.SimpleNamespace(touch=touch))
    torch.save({"state_dict": {"a": torch.ones(1)}, "callbacks": Hostile(touch, "run")}, "x.ckpt")
    assert "nobody's layout" in refused("x.ckpt")
    assert not (project / "run").exists()


def test_a_few_bytes_that_claim_a_large_tensor_are_refused(project):
    """400 GB in float32, of one number on the disk."""
    torch.save({"encoder.weight": torch.zeros(1, dtype=torch.half).expand(10**11)}, "large.pt")
    assert "'encoder.weight' claims 100,000,000,000 values" in refused("large.pt")


def test_an_archive_larger_than_the_memory_is_refused(project, monkeypatch):
    torch.save({"encoder.weight": torch.zeros(1000)}, "large.pt")
    monkeypatch.setattr(memory, "usable", lambda: 1000)
    assert "this archive is too large" in refused("large.pt")


def test_a_whole_module_is_refused(project):
    torch.save(nn.Linear(2, 2), "module.pt")
    output = refused("module.pt")
    assert "torch.nn.modules.linear.Linear" in output
    assert "model.state_dict()" in output
