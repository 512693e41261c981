"""lrfr embed WHAT --model file.onnx: anybody's recogniser, fed as its publisher or the user says, or refused."""

import json

import cv2
import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from lrfr import faces
from lrfr.cli import app
from lrfr.core.alignment import TEMPLATES
from lrfr.nn.alignment import align
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.model_file import write_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import Facts, Model, write_model
from lrfr.nn.onnx_file import export_onnx
from lrfr.stages import embed_images
from tests.face_tables import face, picture

WEIGHTS = np.random.default_rng(0).normal(size=(147, 8)).astype(np.float32)
RGB = ["--colour", "RGB", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(embed_images, "cores", lambda: 1)
    (tmp_path / "in").mkdir()
    for number in range(3):
        assert cv2.imwrite(f"in/{number}.png", image(number)[..., ::-1])
    return tmp_path


def image(number):
    return picture(np.random.default_rng(number), 112, 112)


def pooled(size=16):
    return [
        helper.make_node("AveragePool", ["data"], ["pooled"], kernel_shape=[size, size], strides=[size, size]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["fc1"]),
    ]


def write(path, nodes=None, shape=("N", 3, 112, 112), outputs=(("fc1", (1, 8)),), kind=TensorProto.FLOAT, **more):
    """A tiny recogniser: the means of 7 x 7 squares, times WEIGHTS."""
    graph = helper.make_graph(
        pooled() if nodes is None else nodes,
        "recogniser",
        [helper.make_tensor_value_info(name, kind, shape) for name in more.get("inputs", ["data"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, sides) for name, sides in outputs],
        [more.get("weights", numpy_helper.from_array(WEIGHTS, "weights"))],
    )
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in more.get("domains", ()))]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def expected(number, mean=0.5, std=0.5, colour="RGB"):
    values = (image(number) / 255 - mean) / std
    values = values if colour == "RGB" else values[..., ::-1]
    return values.transpose(2, 0, 1).reshape(3, 7, 16, 7, 16).mean((2, 4)).reshape(-1) @ WEIGHTS


def lrfr(*arguments):
    return CliRunner().invoke(app, ["embed", *(str(argument) for argument in arguments)])


def embedded(model, *options, what="in"):
    result = lrfr(what, "--model", model, "--out", "out.npz", *options)
    assert result.exit_code == 0, result.output
    with np.load("out.npz") as arrays:
        return dict(arrays)


def refused(model, *options):
    result = lrfr("in", "--model", model, "--out", "out.npz", *options)
    assert result.exit_code == 1 and "Traceback" not in result.output, result.output
    assert result.stderr.count("error: ") == 1 and "what to do: " in result.stderr
    return result.stderr


@pytest.mark.parametrize(("colour", "mean", "std"), [("RGB", 0.5, 0.5), ("BGR", 0.0, 1.0), ("BGR", 0.25, 1 / 255)])
def test_it_is_fed_as_the_user_says(folder, colour, mean, std):
    model = write(folder / "any.onnx")
    fed = ["--colour", colour, "--mean", f"{mean},{mean},{mean}", "--std", ",".join([f"{std:.8f}"] * 3)]
    found = embedded(model, *fed)
    assert found["name"].tolist() == ["0.png", "1.png", "2.png"]
    for row in range(3):
        assert np.allclose(found["embedding"][row], expected(row, mean, std, colour), rtol=1e-3, atol=1e-3)
    told = json.loads(str(found["facts"]))
    assert (told["presentation"], told["metric"], told["trained"]) == ("as_cropped", "cosine", [])


@pytest.mark.parametrize("left_out", ["--colour", "--mean", "--std"])
def test_what_nobody_says_is_asked_for(folder, left_out):
    options = [
        part for name, value in zip(RGB[::2], RGB[1::2], strict=True) if name != left_out for part in (name, value)
    ]
    assert f"{left_out} is needed" in refused(write(folder / "any.onnx"), *options)


def test_insightfaces_files_are_known_by_their_names(folder):
    model = write(folder / "w600k_r50.onnx")
    found = embedded(model, "--presentation", "as_cropped")["embedding"]
    assert np.allclose(found[1], expected(1), rtol=1e-3, atol=1e-3)
    assert "--colour BGR contradicts the publisher's RGB" in refused(model, "--colour", "BGR")
    assert "nothing finds their landmarks" in refused(model)
    assert "unknown presentation 'aligned'" in refused(model, "--presentation", "aligned")
    points = torch.tensor(TEMPLATES["arcface_112"][1].ravel() * 64 / 112, dtype=torch.float32)
    network = CNN6(0.05, points)
    torch.nn.init.zeros_(network.output.weight)
    write_landmark_model(folder, network)  # beside it: finds the template, so that nothing moves
    assert np.allclose(embedded(model)["embedding"], found, rtol=1e-2, atol=1e-2)


def test_a_release_says_itself_how_it_is_fed(folder):
    torch.manual_seed(0)
    preprocessing = {"colour": "BGR", "mean": [0.3, 0.4, 0.5], "interpolation": "bicubic"}
    architecture = Architecture(
        backbone="lrfr_ir18",
        width=0.125,
        embedding_dim=8,
        input_size=[32, 24],
        dropout=0.0,
        preprocessing=preprocessing,
    )
    model = Model(Embedder(architecture).eval(), Facts(metric="euclidean"))
    write_model(folder / "model", model)
    export_onnx(model, folder / "model.onnx", {})
    ours, theirs = embedded("model"), embedded("model.onnx")
    assert np.allclose(ours["embedding"], theirs["embedding"], rtol=1e-3, atol=1e-3)
    assert json.loads(str(theirs["facts"]))["metric"] == "euclidean"
    assert "contradicts" in refused("model.onnx", "--colour", "BGR")
    assert "says itself how images are fed to it" in refused("model", "--colour", "BGR")


@pytest.mark.parametrize("batch", [1, "N"])
def test_a_graph_that_takes_one_image_at_a_time(folder, batch):
    nodes = [*pooled()[:1], helper.make_node("Reshape", ["pooled", "shape"], ["flat"]), pooled()[2]]
    shape = helper.make_node("Constant", [], ["shape"], value=numpy_helper.from_array(np.array([1, 147])))
    model = write(folder / "one.onnx", [shape, *nodes], (batch, 3, 112, 112))
    assert np.allclose(embedded(model, *RGB)["embedding"][2], expected(2), rtol=1e-3, atol=1e-3)


FLAT = {"nodes": [helper.make_node("Flatten", ["data"], ["fc1"])], "outputs": (("fc1", ("N", "D")),)}
OTHERS = {
    "layout": ({"shape": ("N", 112, 112, 3), **FLAT}, "a recogniser takes one tensor (N, 3, height, width)"),
    "grey": ({"shape": ("N", 1, 112, 112), **FLAT}, "a recogniser takes one tensor (N, 3, height, width)"),
    "flat": ({"shape": ("N", 37632), **FLAT}, "a recogniser takes one tensor (N, 3, height, width)"),
    "bytes": (
        {
            "kind": TensorProto.UINT8,
            "nodes": [
                helper.make_node("Cast", ["data"], ["cast"], to=TensorProto.FLOAT),
                helper.make_node("Flatten", ["cast"], ["fc1"]),
            ],
            "outputs": (("fc1", ("N", 37632)),),
        },
        "tensor(uint8); a recogniser takes one tensor",
    ),
    "open": ({"shape": ("N", 3, "height", "width")}, "the height and width of its images are left open"),
    "unnamed": ({"shape": ("N", 3, None, None)}, "the height and width of its images are left open"),
    "fixed": ({"shape": (4, 3, 112, 112), "outputs": (("fc1", (4, 8)),)}, "for 4 images it gives 'fc1' (4, 8)"),
    "map": (
        {"nodes": [helper.make_node("Relu", ["data"], ["fc1"])], "outputs": (("fc1", ("N", 3, 112, 112)),)},
        "does not give one embedding (N, D), float32, for each image",
    ),
    "several": (
        {"nodes": [*pooled(), helper.make_node("Relu", ["fc1"], ["b"])], "outputs": (("fc1", (1, 8)), ("b", (1, 8)))},
        "does not give one embedding (N, D), float32, for each image",
    ),
    "custom": (
        {
            "nodes": [helper.make_node("Recognise", ["data"], ["fc1"], domain="somebody.faces")],
            "domains": ["somebody.faces"],
        },
        "operators of somebody's own library: somebody.faces.Recognise",
    ),
    "unknown": ({"nodes": [helper.make_node("NoSuchOperator", ["data"], ["fc1"])]}, "ONNX Runtime cannot run it"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_recogniser_is_told(folder, case):
    options, says = OTHERS[case]
    output = refused(write(folder / "other.onnx", **options), *RGB)
    assert says in output and "other.onnx" in output


@pytest.mark.parametrize("content", [b"", b"\x08\x08", b"<html>404</html>", b"\x00" * 1000, "cut"])
def test_what_is_no_onnx_file_is_told(folder, content):
    whole = write(folder / "net.onnx").read_bytes()
    (folder / "net.onnx").write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    output = refused("net.onnx", *RGB)
    assert "not an ONNX file" in output or "cannot run it" in output


def outside(location):
    """The weights, said to lie in another file."""
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=WEIGHTS.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": str(WEIGHTS.nbytes)}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def test_weights_beside_the_graph_are_read_and_are_part_of_its_hash(folder):
    model = write(folder / "net.onnx", weights=outside("net.data"))
    assert "the file with its weights is missing: net.data" in refused(model, *RGB)
    hashes = []
    for factor in (1, 2):
        (folder / "net.data").write_bytes((factor * WEIGHTS).tobytes())
        found = embedded(model, *RGB)
        assert np.allclose(found["embedding"][0], factor * expected(0), rtol=1e-3, atol=1e-3)
        hashes.append(json.loads(str(found["facts"]))["model"])
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("kind", ["above", "absolute", "link"])
def test_weights_outside_of_its_folder_are_refused(folder, kind):
    (folder / "secret").write_bytes(WEIGHTS.tobytes())
    inner = folder / "model"
    inner.mkdir()
    location = {"above": "../secret", "absolute": str(folder / "secret"), "link": "link"}[kind]
    (inner / "link").symlink_to(folder / "secret")
    output = refused(write(inner / "net.onnx", weights=outside(location)), *RGB)
    assert "read from outside of its folder" in output


def test_a_damaged_statement_of_a_release_is_told(folder):
    path = write(folder / "net.onnx")
    model = onnx.load(path)
    helper.set_model_props(model, {"architecture": "{", "facts": "{}"})
    path.write_bytes(model.SerializeToString())
    assert "not those of a release of lrfr" in refused(path, *RGB)


def test_a_face_table_brings_its_landmarks_to_a_model_that_has_no_network(folder):
    torch.manual_seed(0)
    architecture = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=[32, 32], dropout=0.0)
    embedder = Embedder(architecture).eval()
    write_model(folder / "model", Model(embedder, Facts(presentation="dlib_150")))
    rng = np.random.default_rng(3)
    rows = [face(rng, str(number), 40) for number in range(150)]  # more than a batch
    side, template = TEMPLATES["dlib_150"]
    for row in rows:
        shown = faces.decode(row["image"])
        row["landmarks"] = (template * shown.shape[1::-1] / side + 1).ravel().tolist()
    rows[7]["image"] = b"no picture"
    rows[9]["landmarks"] = None  # centred
    pq.write_table(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), "faces.parquet")
    assert lrfr("faces.parquet", "--model", "model", "--out", "out.npz").exit_code == 3
    with np.load("out.npz") as arrays:
        found = arrays["embedding"]
    for row in (0, 6, 8, 127, 128, 149):
        shown = align(faces.decode(rows[row]["image"]), np.reshape(rows[row]["landmarks"], (5, 2)), "dlib_150")
        with torch.inference_mode():
            by_hand = embedder(torch.from_numpy(shown.copy()).permute(2, 0, 1)[None] / 255)[0].numpy()
        assert np.allclose(found[row], by_hand, rtol=1e-2, atol=1e-3)
    assert "nothing finds their landmarks" in lrfr("in", "--model", "model", "--out", "other.npz").stderr
