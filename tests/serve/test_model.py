"""A release's model without torch sees what the model that it was made of sees with torch."""

import json
import shutil

import numpy as np
import onnx
import pytest

from lrfr.errors import LrfrError, ReleaseError
from lrfr.nn.embedding import embed_images
from lrfr.release.layout import LANDMARKS_ONNX, MANIFEST, MODEL_ONNX
from lrfr.serve import Gallery, Model
from lrfr.serve.detection import find_faces
from lrfr.serve.enrolment import enrol_person
from lrfr.serve.identification import as_json, as_text, identify
from tests.serve.releases import NAME, VERSION, group, make_release, photo, pixels, write_photo

CROPS = [photo(person)[20:90, 30:90][: 30 + 4 * person, : 20 + 5 * person] for person in range(9)]


@pytest.fixture(scope="module")
def aligned(keys, tmp_path_factory):
    return make_release(tmp_path_factory.mktemp("aligned") / "release", keys[0], "arcface_112")


@pytest.mark.parametrize("presentation", ["as_cropped", "arcface_112"])
def test_embeddings_are_those_of_torch(release, aligned, presentation):
    served = Model.load(release if presentation == "as_cropped" else aligned)
    expected = embed_images(pixels(presentation), CROPS)
    assert served.presentation == presentation
    np.testing.assert_allclose(served.embed(CROPS), expected, atol=2e-4)


def test_three_lines_are_enough(release, enrolled):
    model = Model.load(release)
    embeddings = model.embed([face.pixels for face in find_faces(photo(1, 3), model.detector)])
    assert [answer.name for answer in Gallery(enrolled, model).identify(embeddings, 0.05)] == ["bob"]


def test_no_images_are_no_embeddings(model):
    assert model.embed([]).shape == (0, model.origin.width)


def test_every_face_of_a_photo_is_found_from_left_to_right(model):
    faces = find_faces(group([0, 5, 2]), model.detector)
    assert [face.box[0] // 100 for face in faces] == [0, 1, 2]
    for face in faces:
        left, top, width, height = face.box
        assert face.pixels.shape == (height, width, 3)
        np.testing.assert_array_equal(face.pixels, group([0, 5, 2])[top : top + height, left : left + width])


@pytest.mark.parametrize("shape", [(1, 1), (11, 500), (40, 40)])
def test_tiny_photos_show_nobody(model, shape):
    assert find_faces(np.zeros((*shape, 3), np.uint8), model.detector) == []


def test_another_model_has_another_hash(model, aligned, release, tmp_path):
    assert Model.load(aligned).origin.model != model.origin.model
    copy = shutil.copytree(release, tmp_path / "copy")
    assert Model.load(copy).origin == model.origin
    assert model.origin.release == f"{NAME}@{VERSION}"


def without(folder, part):
    (folder / part).unlink()


def no_network(folder, _):
    (folder / MODEL_ONNX).write_bytes(b"not a network")


def untold(folder, _):
    graph = onnx.load(folder / MODEL_ONNX)
    del graph.metadata_props[:]
    onnx.save(graph, folder / MODEL_ONNX)


def unknown_metric(folder, _):
    graph = onnx.load(folder / MODEL_ONNX)
    told = {entry.key: entry.value for entry in graph.metadata_props}
    told["facts"] = json.dumps(json.loads(told["facts"]) | {"metric": "hamming"})
    onnx.helper.set_model_props(graph, told)
    onnx.save(graph, folder / MODEL_ONNX)


@pytest.mark.parametrize(
    ("damage", "part", "what"),
    [
        (without, MANIFEST, "no release here"),
        (without, MODEL_ONNX, "a part of the release is missing"),
        (without, LANDMARKS_ONNX, "a part of the release is missing"),
        (no_network, None, "ONNX Runtime cannot run it"),
        (untold, None, "do not say how it is used"),
        (unknown_metric, None, "hamming"),
    ],
)
def test_what_is_no_release_is_told(aligned, tmp_path, damage, part, what):
    folder = shutil.copytree(aligned, tmp_path / "copy")
    damage(folder, part)
    with pytest.raises(ReleaseError, match=what):
        Model.load(folder)


def test_a_release_without_a_calibration_embeds_and_identifies_nobody(release, enrolled, tmp_path):
    folder = shutil.copytree(release, tmp_path / "copy")
    (folder / "calibration.json").unlink()
    model = Model.load(folder)
    with pytest.raises(LrfrError, match="a result is missing"):
        Gallery(enrolled, model).identify(model.embed(CROPS[:1]))


def with_quality(folder):
    """The same network, which also says how long an embedding is."""
    graph = onnx.load(folder / MODEL_ONNX)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), "over"))
    graph.graph.node.append(onnx.helper.make_node("ReduceL2", ["embeddings", "over"], ["quality"], keepdims=0))
    graph.graph.output.append(onnx.helper.make_tensor_value_info("quality", onnx.TensorProto.FLOAT, ["batch"]))
    told = {entry.key: entry.value for entry in graph.metadata_props}
    told["facts"] = json.dumps(json.loads(told["facts"]) | {"quality": "norm"})
    onnx.helper.set_model_props(graph, told)
    onnx.save(graph, folder / MODEL_ONNX)


def test_a_model_that_gives_a_quality_gives_it_of_every_face(release, tmp_path):
    folder = shutil.copytree(release, tmp_path / "copy")
    with_quality(folder)
    model = Model.load(folder)
    seen = model.see(CROPS)
    assert model.quality == "norm"
    np.testing.assert_allclose(seen.quality, np.linalg.norm(seen.embedding, axis=1), rtol=1e-5)
    path = tmp_path / "people.gallery"
    enrol_person(model, path, "anna", [write_photo(tmp_path / "a.jpg", photo(0))], add=False)
    identified = identify(model, Gallery(path, model), photo(0, 3), 0.05)
    assert as_json("x", identified)["faces"][0]["quality"] > 0 and ", quality" in as_text("x", identified)
