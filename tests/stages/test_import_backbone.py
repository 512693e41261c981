"""Published checkpoints become models of ours that embed as their publishers' own networks do."""

import hashlib
import os
import pickle
import re
import struct
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import onnx
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
SOFTMAX = {"name": "Softmax"}
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
    torch.save(arcface.state_dict(), path)
    return path


def prefixed(prefix, network):
    return {prefix + name: value for name, value in network.state_dict().items()}


def assert_embeds_as(network, fed, folder, side, head=None):
    image = photo(side, side)
    model = read_model(here() / folder, with_landmarks=False)
    embedder = model.embedder
    assert (model.prototypes is None) == (head is None)
    told = model.facts.provenance["format"]
    presentation = "arcface_112" if told in ("arcface_torch", "adaface", "cvlface") else "as_cropped"
    told_of = Facts(presentation=presentation, head=head, provenance=model.facts.provenance)  # the rest nobody says
    assert model.facts == told_of
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
    assert_embeds_as(senet, as_caffe, "models_ckp", 224, SOFTMAX)
    assert "224 x 224 px in, 2048 out\n" in output
    assert "its classifier of 5 identities is kept" in output and "classifier: true" in output
    model = read_model(here() / "models_ckp", with_landmarks=False)
    assert torch.equal(model.prototypes, senet.classifier_1.weight) and torch.equal(model.bias, senet.classifier_1.bias)
    assert model.facts.provenance["left_out"] == []


def test_the_other_conversion_of_vggface2_takes_rgb(senet):
    state = {name.replace("classifier_1", "classifier"): value for name, value in senet.state_dict().items()}
    state["classifier.weight"] = state["classifier.weight"][:, :, None, None]  # a convolution there
    torch.save(state, "senet50_ft_dag.pth")
    imported("senet50_ft_dag.pth")
    assert_embeds_as(senet, as_dag, "senet50_ft_dag", 224, SOFTMAX)
    model = read_model(here() / "senet50_ft_dag", with_landmarks=False)
    assert torch.equal(model.prototypes, senet.classifier_1.weight)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"classifier_1.weight": torch.zeros(5, 100)}, "tensors have another shape: classifier_1.weight"),
        ({"classifier_1.bias": torch.zeros(4)}, "tensors have another shape: classifier_1.weight"),
        ({"classifier_1.bias": torch.full((5,), torch.nan)}, "tensors are not finite: classifier_1.weight"),
    ],
)
def test_a_classifier_that_cannot_be_the_network_s_is_refused(senet, changed, says):
    torch.save(senet.state_dict() | changed, "models_ckp.pth")
    assert says in refused("models_ckp.pth")


def test_without_its_classifier_nobody_can_tell_the_two_apart(senet):
    bare = {name: value for name, value in senet.state_dict().items() if not name.startswith("classifier")}
    torch.save(bare, "senet.pth")
    assert "say whose it is by --format massoli or --format vggface2_dag" in refused("senet.pth")
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
    asked = [r18, "--format", "arcface_torch", "--licence", "non-commercial research"]
    output = imported(*asked)
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
    imported(*asked)
    assert (here() / "r18/model.safetensors").read_bytes() == first
    torch.save({**arcface.state_dict(), "prelu.weight": torch.zeros(64)}, "other.pt")
    result = run("other.pt", "--name", "r18", "--format", "arcface_torch")
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
        (["--format", "adaface"], "these are not adaface's names: conv1.weight"),
        (["--format", "adaface"], "say whose it is by --format arcface_torch or --format magface or --format cvlface"),
        (["--format", "facenet"], "known: arcface_torch, magface, adaface, cvlface, curricularface"),
        (["--input-size", "96"], "fix the size"),
        (["--name", "../r18"], "cannot be a folder's name"),
    ],
)
def test_what_contradicts_the_publisher_is_refused(r18, options, says):
    assert says in refused(r18, *([] if "--format" in options else ["--format", "arcface_torch"]), *options)


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
        ("empty.pt", b"", "this is an empty file"),
        ("page.pth", b"\n<!DOCTYPE html><title>404</title>", "this is a web page"),
        ("error.pth", b'{"error": "not found"}', "this is a JSON text"),
        ("note.pth", "Gewichte für später".encode(), "this is a text file"),
        ("pointer.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        ("pointer.pth", b"outs:\n- md5: 0\n  path: x.pth\n", "dvc pull"),
        ("keras.h5", b"\x89HDF\r\n\x1a\n" + bytes(99), "this is an HDF5 file"),
        ("saved.pb", b"\x08\x01\x12\x90\xa3\x02", "this is a TensorFlow SavedModel"),
        ("frozen.pb", b"\n\x2f\n\x05input\x12\x0bPlaceholder\xff", "this is a TensorFlow graph"),
        ("x.tflite", b"\x1c\0\0\0TFL3" + bytes(99), "TensorFlow Lite"),
        ("x.params", b"\x12\x01" + bytes(99), "MXNet"),
        ("x.npy", b"\x93NUMPY\x01\0" + bytes(99), "a NumPy array"),
        ("x.pth.gz", b"\x1f\x8b" + bytes(99), "a gzip archive"),
        ("cut.safetensors", (10**6).to_bytes(8, "little") + b'{"a":', "damaged, or no checkpoint"),
        ("cut.pth", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M", "damaged, or no checkpoint"),
        ("random.bin", bytes(range(255, 0, -1)), "damaged, or no checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_said(project, name, content, says):
    if content is not None:
        (project / name).write_bytes(content)
    assert says in refused(name)


def test_a_file_that_was_cut_off(r18, project):
    (project / "cut.pt").write_bytes(r18.read_bytes()[:1_000_000])
    assert "damaged, or no checkpoint" in refused("cut.pt")


def test_what_other_programs_write_is_named(project, network):
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [])), "x.onnx")
    assert "this is an ONNX model" in refused("x.onnx")
    with zipfile.ZipFile("x.zip", "w") as archive:
        archive.writestr("weights/backbone.pth", b"")
    output = refused("x.zip")
    assert "a zip archive of 1 files, such as weights/backbone.pth" in output
    Path("cut.zip").write_bytes(Path("x.zip").read_bytes()[60:])
    assert "a damaged zip archive" in refused("cut.zip")
    whole = Path("x.zip").read_bytes()
    several_disks = struct.pack("<IIQI", 0x07064B50, 0, 0, 2)  # what a ZIP64 archive's locator says of them
    Path("disks.zip").write_bytes(whole[:-22] + several_disks + whole[-22:])
    assert "a damaged zip archive" in refused("disks.zip")
    assert "unpack it" in output
    with zipfile.ZipFile("x.keras", "w") as archive:
        archive.writestr("model.weights.h5", b"")
    assert "a model of Keras" in refused("x.keras")
    np.savez("x.npz", a=np.ones(2))
    assert "NumPy arrays" in refused("x.npz")
    torch.jit.script(nn.Linear(2, 2)).save("x.pt")
    output = refused("x.pt")
    assert "a TorchScript program" in output
    assert "torch.jit.load" in output
    for protocol in (2, 4):
        Path("x.pkl").write_bytes(pickle.dumps({"conv1/weight": np.ones(3)}, protocol))
        output = refused("x.pkl")
        assert "a pickle that torch.save did not write" in output
        assert "multiarray" in output
    Path("saved").mkdir()
    Path("saved/model.safetensors").write_bytes(b"")
    output = refused("saved")
    assert "this is a folder" in output
    assert "such as saved/model.safetensors" in output


def test_parts_of_a_training_are_named(arcface, network):
    optimiser = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9).state_dict()
    torch.save(optimiser, "optimizer.pth")
    assert "the state of an optimiser, not weights" in refused("optimizer.pth")
    torch.save({"weight": torch.ones(93, 512), "weight_mom": torch.ones(93, 512)}, "softmax_fc_gpu_0.pt")
    for asked in ([], ["--format", "arcface_torch"]):
        assert "a head, or another single layer (93 x 512 and 93 x 512), not a backbone" in refused(
            "softmax_fc_gpu_0.pt", *asked
        )
    torch.save(torch.ones(93, 512), "centres.pt")
    assert "one tensor without a name, (93, 512)" in refused("centres.pt")
    weights = arcface.state_dict()
    torch.save({"model": weights, "ema": weights, "optimizer": optimiser, "epoch": 3}, "training.pth")
    output = refused("training.pth", "--format", "arcface_torch")
    assert "a training's checkpoint with tensors in 2 parts: 'model' (" in output
    assert "torch.load(FILE)['model']" in output
    torch.save({"model": weights, "optimizer": optimiser, "epoch": torch.tensor(3)}, "training.pth")
    imported("training.pth", "--format", "arcface_torch")
    assert_embeds_as(arcface, as_rgb, "training", 112)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_names_of_several_publishers_are_asked_about(arcface, adaface, prefix):
    for network, formats in ((arcface, ("arcface_torch", "magface", "cvlface")), (adaface, ("adaface", "cvlface"))):
        torch.save(prefixed(prefix, network), "bare.pth")
        output = refused("bare.pth")
        assert "several publishers have these names" in output
        assert f"say whose it is by --format {' or --format '.join(formats)}" in output
    imported("bare.pth", "--format", "adaface")
    assert_embeds_as(adaface, as_bgr, "bare", 112)


def test_advice_never_leads_in_a_circle(arcface, network):
    """Whoever does what the command says, ends with another answer, and not with the first one."""
    torch.save(network.state_dict(), "resnet.pth")
    for asked in ([], *(["--format", format] for format in FORMATS if format != "timm")):
        output = refused("resnet.pth", *asked)
        assert "--architecture" in output
        assert "leave --format out" not in output
        assert "say whose it is" not in output


def test_a_model_of_ours_is_not_imported_again(r18):
    imported(r18, "--format", "arcface_torch")
    result = run(here() / "r18/model.safetensors", "--name", "again")
    assert result.exit_code == 1
    assert "a model of lrfr's own" in result.output


def test_the_help_names_every_format():
    said = run("--help").output
    assert all(format in said for format in FORMATS)


def test_tensors_of_nobody(project):
    torch.save({"encoder.weight": torch.ones(2)}, "x.pt")
    assert re.search(
        r"nobody's layout that lrfr knows: encoder.weight.*it is: a network that lrfr does not know",
        refused("x.pt"),
        re.S,
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
